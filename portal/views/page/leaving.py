"""Addresses outside the portal that a page may lead to."""

from __future__ import annotations

from flask import current_app

from portal.config import Config


def safe_link(link: str | None) -> str | None:
    """Google's own address of an event, or nothing: a link of any other kind is not offered."""
    config: Config = current_app.extensions["config"]
    return link if link and link.startswith(("https://", f"{config.google_api_endpoint}/")) else None
