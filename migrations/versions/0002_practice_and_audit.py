"""The practice's one row, and an audit log that cannot be rewritten.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_GUARD = """
CREATE TRIGGER audit_entry_no_{verb} BEFORE {verb} ON audit_entry
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$
"""
POSTGRESQL_GUARD = """
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
"""


def upgrade() -> None:
    practice = sa.table(
        "practice",
        sa.column("id", sa.Integer),
        sa.column("name", sa.String),
        sa.column("installation", sa.String),
        sa.column("hipaa_does_not_apply", sa.Boolean),
        sa.column("next_internal_id", sa.Integer),
    )
    op.bulk_insert(
        practice,
        [
            {
                "id": 1,
                "name": "Practice",
                "installation": secrets.token_hex(16),
                "hipaa_does_not_apply": False,
                "next_internal_id": 1001,
            }
        ],
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(SQLITE_GUARD.format(verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL)
        op.execute(POSTGRESQL_GUARD)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"DROP TRIGGER audit_entry_no_{verb}")
    else:
        op.execute("DROP TRIGGER audit_entry_append_only ON audit_entry")
        op.execute("DROP FUNCTION refuse_audit_change()")
    op.execute("DELETE FROM practice")
