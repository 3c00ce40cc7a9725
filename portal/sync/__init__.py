"""The core of the sync: it decides, values in, values out. No I/O, no clock, no framework.

May import: the standard library and `errors`.
Begin at `outbound.py` (what goes out) and `inbound.py` (what a change in Google means);
how long to wait, between polls and after trouble, is in `trouble.py`.
"""
