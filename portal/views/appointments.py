"""Placeholder until its owner writes it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("appointments", __name__, url_prefix="/appointments" or None)
