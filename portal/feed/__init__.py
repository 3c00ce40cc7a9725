"""The one-way feed: its address, the document it answers with, and who reads it.

Imports the wings above it. No HTTP, no commit; the text itself is made in `ical/feed.py`.
Begin at `document.py`.
"""
