"""One call of the Calendar API: who makes it, may they, is it well formed, what of the answer they want.

May import ground and state.
Begin reading in `access.py`.
"""
