"""The core of the sync: it decides, values in, values out. No I/O, no clock, no framework.

May import: the standard library and `errors`.
Begin at `outbound.py` (what goes out) and `inbound.py` (what a change in Google means).
"""
