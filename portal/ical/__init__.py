"""Adapter to RFC 5545: the text of a feed and of an export.

May import: the ground.
Begin at `feed.py`.
"""
