"""What goes wrong on purpose: faults, quotas, broken connections; and which reading of Google holds.

May import ground.
Begin reading in `faults.py`.
"""
