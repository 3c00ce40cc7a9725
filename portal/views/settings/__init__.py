"""A person's settings: name, office hours, time zone, locations and types.

Imports every wing and `views/page`; pages in `templates/settings/`.
Begin at `settings.py`.
"""
