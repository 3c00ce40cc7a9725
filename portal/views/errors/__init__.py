"""What a refused or failed request is answered with.

Imports the ground; pages in `templates/errors/`.
Begin at `answers.py`.
"""
