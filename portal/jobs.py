"""RQ entry points and the schedule. A job is a hint; the database says what is to do."""

from __future__ import annotations

from flask import Flask

from portal.config import Config


def bind(app: Flask, config: Config) -> None:
    app.extensions["queue"] = None


def check_queue() -> dict[str, bool]:
    return {"queue": False, "worker": False}
