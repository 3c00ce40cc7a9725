"""How a provider's sync stands: facts, checks, the comparison with Google, the proof of one appointment, the report.

Imports the wings above it, `engine` among them; changes nothing in Google, ever.
Begin at `checks.py`; the lines the doctor asks are decided in `sync/checkup.py`.
"""
