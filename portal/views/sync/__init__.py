"""The Sync Calendar screen: mode, wizard, changes from Google, doctor, leaving.

Imports every wing and `views/page`; pages in `templates/sync/`.
Begin at `overview.py`.
"""
