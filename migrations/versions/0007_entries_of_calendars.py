"""How many entries of a calendar would be shown.

Revision ID: 0007
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("google_calendar", sa.Column("entries", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("google_calendar") as table:
        table.drop_column("entries")
