"""How long the audit log is kept stands in the database, and its triggers read it there.

What is older may be deleted; UPDATE, TRUNCATE and an INSERT over an entry that exists are refused as ever. On SQLite
`INSERT OR REPLACE` deletes without asking the trigger of deletions, so a trigger of insertions refuses it.

Revision ID: 0014
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None

DEFAULT_DAYS, LEAST_DAYS, MOST_DAYS = 2190, 365, 36_500
KEPT_DAYS = f"coalesce((SELECT keep_days FROM audit_rule WHERE id = 1), {DEFAULT_DAYS})"  # noqa: S608 (numbers)

# Refused unless it is certainly old: a comparison with something that is no date is neither true nor false.
SQLITE_TRIGGERS = {
    "audit_entry_kept": f"""
        BEFORE DELETE ON audit_entry
        WHEN NOT coalesce(OLD.at < strftime(
            '%Y-%m-%d %H:%M:%f', 'now', '-' || max({LEAST_DAYS}, CAST({KEPT_DAYS} AS INTEGER)) || ' days'
        ), 0)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "audit_entry_once": """
        BEFORE INSERT ON audit_entry
        WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    # An entry of this kind stands where SQLite asks about ids that it has yet to choose (-1)
    "audit_entry_number": """
        AFTER INSERT ON audit_entry WHEN NEW.id < 1
        BEGIN SELECT RAISE(ABORT, 'an audit entry has a number from 1 on'); END""",
}
SQLITE_BEFORE = """
CREATE TRIGGER audit_entry_no_DELETE BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
POSTGRESQL = (
    "DROP TRIGGER audit_entry_append_only ON audit_entry",
    """CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()""",
    f"""CREATE FUNCTION keep_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.at < now() - make_interval(days => greatest({LEAST_DAYS}, {KEPT_DAYS})) THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'the audit log is append-only';
    END $$""",
    """CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION keep_audit_entry()""",
    # also where a session says that it replays what another server did
    "ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_append_only",
    "ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_kept",
)
POSTGRESQL_BEFORE = (
    "DROP TRIGGER audit_entry_kept ON audit_entry",
    "DROP TRIGGER audit_entry_append_only ON audit_entry",
    "DROP FUNCTION keep_audit_entry()",
    """CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()""",
)


def upgrade() -> None:
    rule = op.create_table(
        "audit_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_rule_only_one")),
        sa.CheckConstraint(
            f"keep_days BETWEEN {LEAST_DAYS} AND {MOST_DAYS}", name=op.f("ck_audit_rule_years")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_rule")),
    )
    op.bulk_insert(rule, [{"id": 1, "keep_days": DEFAULT_DAYS}])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_no_DELETE")
        for name, body in SQLITE_TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {body}")
    else:
        for statement in POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.execute(SQLITE_BEFORE)
    else:
        for statement in POSTGRESQL_BEFORE:
            op.execute(statement)
    op.drop_table("audit_rule")
