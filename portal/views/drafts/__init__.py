"""What was typed and not saved.

Imports every wing and `views/page`; pages in `templates/drafts/`.
Begin at `drafting.py`.
"""
