"""Signing in and out.

Imports every wing and `views/page`; pages in `templates/accounts/`.
Begin at `login.py`.
"""
