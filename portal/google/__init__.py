"""Adapter to Google: OAuth, and the Calendar API v3 through google-api-python-client.

May import: the ground and `sync`. What Google spells its own way becomes ours here, errors included.
Begin at `client.py`; resources are read and written in `codec.py`, refusals told apart in `errors.py`.
"""
