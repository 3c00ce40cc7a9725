"""Who may come in: accounts, their sessions, and the log of who did what.

Imports the ground, `models`, `rows`; raises the errors of the ground, knows no HTTP and commits nothing.
Begin at `accounts.py`.
"""
