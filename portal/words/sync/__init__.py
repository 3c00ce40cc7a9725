"""What the sync's pages say: its states, the doctor's lines, cards, comparison, leaving.

May import: the standard library, `portal.sync`, enumerations of `portal.models` and `portal.words`.
Begin with `doctor.py`: a line has a title, a sentence and a button.
"""
