"""Everything one sandbox remembers, behind one lock.

May import ground, trouble and push.
Begin reading in `world.py`.
"""
