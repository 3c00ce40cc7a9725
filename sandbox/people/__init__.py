"""What people do at Google without an app: a person's deeds, and the accounts to begin with.

May import ground, state, calls, event, resources and api.
Begin reading in `person.py`.
"""
