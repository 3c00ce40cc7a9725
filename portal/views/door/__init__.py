"""What every request passes before its view: who may call, how large, how often, and with no database.

Imports the ground and `words`, and no room beside it; has no pages.
Begin at `callers.py`: each route says there who may call it.
"""
