"""How a provider's sync stands: facts, checks, comparison with Google, proof, report.

Imports the wings above it, `engine` among them; changes nothing in Google, ever.
Begin at `checks.py`; the lines the doctor asks are decided in `sync/checkup.py`.
"""
