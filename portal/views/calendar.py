"""Placeholder until its owner writes it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("calendar", __name__, url_prefix="/calendar" or None)
