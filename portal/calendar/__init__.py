"""What a page of the calendar shows: entries, Google's occurrences, overlaps, places in the grid.

Imports the wings above it, `practice` among them; writes nothing except dates expanded when a page asks.
Begin at `agenda.py`; who may see what of a colleague's entries is decided there.
"""
