"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi …`."""

from __future__ import annotations

from portal import start

app = start()
