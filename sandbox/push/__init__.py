"""Push channels and the courier that delivers their messages.

May import ground and trouble.
Begin reading in `channels.py`.
"""
