"""The UID of each event of Google's, by which the same event is known in two calendars.

What stands here gets its own with the connection's next night. No token and no signature is touched: both stay
good until then.

Revision ID: 0011
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("google_event", sa.Column("ical_uid", sa.String(length=1024), nullable=True))
    op.create_index("ix_google_event_ical_uid", "google_event", ["google_calendar_id", "ical_uid"])


def downgrade() -> None:
    op.drop_index("ix_google_event_ical_uid", table_name="google_event")
    with op.batch_alter_table("google_event") as table:
        table.drop_column("ical_uid")
