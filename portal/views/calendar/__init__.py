"""The calendar's views, its search and its export.

Imports every wing and `views/page`; pages in `templates/calendar/`.
Begin at `calendar.py`.
"""
