"""What every page stands on: signing in, headers, returning, times, words, undo, lapsed sessions.

Imports every wing below `views` and the room `door`, and no other; parts of pages in `templates/page/`.
Begin at `shell.py`; who may see a page is asked in `signing_in.py`.
"""
