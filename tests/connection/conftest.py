"""The office in two-way sync with a sandbox, as the engine's tests have it."""

from __future__ import annotations

from tests.engine.conftest import app, google, office

__all__ = ["app", "google", "office"]
