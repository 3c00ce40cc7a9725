"""What pages say: which sentence fits which state, a table for each subject. Pure; values in, words out.

May import: the standard library, `portal.sync` and enumerations of `portal.models`; no view, no markup.
Begin with `sync/doctor.py`; `buttons.py` and `counts.py` serve all.
"""
