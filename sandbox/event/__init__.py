"""What one event is: its fields, its looks to a reader, its series, its place in the change log.

May import ground and calls.
Begin reading in `changes.py`.
"""
