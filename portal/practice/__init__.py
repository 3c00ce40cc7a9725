"""What a person does, as verbs: clients, appointments, series, undo, drafts; names outside.

Imports the wings above it (ground, `models`, `sync`, `rows`, `people`). No HTTP, no commit.
Begin at `appointments.py`; a client's name becomes a title in `disclosure.py`.
"""
