"""Placeholder until its owner writes it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("clients", __name__, url_prefix="/clients" or None)
