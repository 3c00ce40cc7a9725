"""The link to Google as its owner sees it: mode, grant, calendars, leftovers, cards, answers, mail.

Imports the wings above it, `feed` among them; only `choosing.py` asks Google, and it commits before it does.
Begin at `switching.py`; a change of mode is decided in `sync/modes.py`.
"""
