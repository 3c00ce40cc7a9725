"""Booking, changing, moving and ending an appointment, and its own page.

Imports every wing and `views/page`; pages in `templates/appointments/`.
Begin at `booking.py`; a form is read in `form.py`.
"""
