"""OAuth 2.0 and OpenID Connect: metadata, consent pages, tokens, signatures.

May import ground, trouble and state.
Begin reading in `consent.py`.
"""
