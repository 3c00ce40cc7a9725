"""What every page shows around its own content: who is signed in, whether names are hidden, the pause."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask.sansio.app import App
from flask_login import current_user

from portal.config import Config
from portal.extensions import db
from portal.models import Practice
from portal.rows import pausing
from portal.views.page import assets, once

TITLES = frozenset({"dr", "dr.", "prof", "prof.", "mr", "mr.", "mrs", "mrs.", "ms", "ms."})


def register(app: App) -> None:
    assets.register(app)
    app.jinja_env.globals["hides_names"] = _hides_names
    app.jinja_env.globals["new_form_key"] = once.new_key
    app.context_processor(_signed_in)


def _signed_in() -> dict[str, Any]:
    """`signed_in` for the shell; error pages and the sign-in page do without."""
    if not current_user or not current_user.is_authenticated:
        return {"signed_in": None, "pause": None}
    name = current_user.provider.name
    practice = db.session.execute(sa.select(Practice.name, *pausing.STANDING)).one()
    config: Config = current_app.extensions["config"]
    return {
        "signed_in": {"name": name, "initials": _initials(name), "practice": practice.name},
        "pause": pausing.judge(practice),
        "idle_seconds": config.session_idle_seconds,
    }


def _hides_names() -> bool:
    """Whether the person who looks has privacy mode on."""
    return bool(current_user and current_user.is_authenticated and current_user.provider.hides_names)


def _initials(name: str) -> str:
    words = [word for word in name.split() if word.lower() not in TITLES] or name.split() or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
