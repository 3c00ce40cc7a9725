"""One run: gather what is so, let `sync/` decide, apply it to Google and to the rows, under a lease.

Imports the wings above it. Knows no person and no page; every commit checks the lease.
Begin at `connection_run.py`, then `push.py` and `pull.py`; a removal goes on in `tear_down.py`.
"""
