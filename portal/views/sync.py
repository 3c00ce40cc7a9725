"""Placeholder until its owner writes it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("sync", __name__, url_prefix="/calendar/sync" or None)
