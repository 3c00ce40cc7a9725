"""Rows to sync values and back, and the marks that a connection has work. Nothing is decided here.

Imports the ground, `models`, `sync` and the adapters.
Begin at `event_links.py` (outward), `google_events.py` (inward), `outbox.py` (marks).
"""
