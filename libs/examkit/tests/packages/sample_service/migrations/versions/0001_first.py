"""Shared tables and notes."""

import sqlalchemy as sa
from alembic import op
from examkit.migrate import create_shared_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_shared_tables(op)
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.UniqueConstraint("owner", "text", name="notes_owner_text_key"),
        sa.CheckConstraint("length(owner) > 0", name="notes_owner_check"),
    )
