"""Questions of people who wonder about their sync, answered from their own numbers.

Imports every wing, `views/page` and the doctor's room; pages in `templates/help/`.
Begin at `questions.py`.
"""
