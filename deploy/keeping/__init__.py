"""Backups: made, kept, tried and put back, for `deploy/backup`, `deploy/restore` and `deploy/restore-test`.

Nothing but Python's own library is imported here, so that a backup can be put back on a machine where
nothing of the portal is installed yet.
"""
