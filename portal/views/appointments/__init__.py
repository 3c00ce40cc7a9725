"""Booking, changing, moving and ending an appointment, and its own page.

Imports every wing and `views/page`; pages in `templates/appointments/`.
Begin at `desk.py`, which finds one's own appointments and nothing else: a Google event is locked.
"""
