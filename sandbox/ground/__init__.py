"""Words and values that the whole sandbox stands on: refusals, times, scopes, accounts and calendars.

May import nothing of the sandbox.
Begin reading in `model.py`.
"""
