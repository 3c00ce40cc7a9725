"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi …`."""

from __future__ import annotations

import sys

from flask import Flask

from portal import create_app, create_help, start
from portal.config import ConfigError


def _open() -> Flask:
    """The portal; without its settings still the commands' `--help`."""
    if "--help" not in sys.argv:
        return start()
    try:
        return create_app()
    except ConfigError:
        return create_help()


app = _open()
