"""The list of clients, a client's page and form.

Imports every wing and `views/page`; pages in `templates/clients/`.
Begin at `clients.py`.
"""
