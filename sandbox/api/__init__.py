"""The way of a request from arrival to answer, alone or as a part of a batch.

May import ground, trouble, state, calls and resources.
Begin reading in `answering.py`.
"""
