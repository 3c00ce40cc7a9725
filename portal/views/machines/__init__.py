"""Addresses that programs ask and no person sees: the feed, Google's push messages, health.

Imports every wing and `views/page`; has no pages.
Begin at `webhooks.py`.
"""
