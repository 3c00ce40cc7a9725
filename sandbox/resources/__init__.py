"""The operations of the Calendar API, a module for each of Google's resources.

May import ground, push, state, calls and event.
Begin reading in `events.py`.
"""
