"""The `flask` commands of `contract.md`, for operators and for scripts. Output is plain and stable.

May import: every wing. A command commits; what it calls does not.
Begin at `syncing.py`; a new group of commands is a module of its own.
"""

from __future__ import annotations

from flask import Flask

from portal.cli import auditing, people, syncing

GROUPS = (people.provider_group, people.client_group, syncing.sync_group, auditing.audit_group)


def register(app: Flask) -> None:
    for group in GROUPS:
        app.cli.add_command(group)
