"""Pages where a person looks at accounts, weeks, events and calendars, and edits them.

May import ground, state, calls, event, resources and people.
Begin reading in `routes.py`.
"""
