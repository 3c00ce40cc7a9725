"""What tests and the demo need and Google does not offer: the control API, and the control room as a page.

May import ground, trouble, state, sign_in and people.
Begin reading in `routes.py`.
"""
