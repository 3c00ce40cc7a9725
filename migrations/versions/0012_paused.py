"""Whose database this is, and the mark of a restored backup, which deploy/restore may have made before.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("practice", sa.Column("public_url", sa.Text(), nullable=True))
    op.add_column("practice", sa.Column("installation_mark", sa.String(length=100), nullable=True))
    if "restore_mark" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "restore_mark",
            sa.Column("restored_at", sa.String(length=32), nullable=False),
            sa.Column("backup_made_at", sa.String(length=32), nullable=False),
            sa.PrimaryKeyConstraint("restored_at", name=op.f("pk_restore_mark")),
        )


def downgrade() -> None:
    op.drop_table("restore_mark")
    with op.batch_alter_table("practice") as table:
        table.drop_column("installation_mark")
        table.drop_column("public_url")
