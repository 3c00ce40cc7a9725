"""Booking, changing, moving and ending an appointment, and its own page.

Imports every wing and `views/page`; pages in `templates/appointments/`.
Begin at `appointments.py`; a form is read in `appointment_form.py`.
"""
