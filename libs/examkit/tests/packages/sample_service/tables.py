"""What the sample service declares."""

import sqlalchemy as sa
from examkit import shared_tables

metadata = sa.MetaData()
shared = shared_tables.define(metadata)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("hidden", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("owner", "text", name="notes_owner_text_key"),
    sa.CheckConstraint("length(owner) > 0", name="notes_owner_check"),
)
sa.Index("notes_shown_idx", notes.c.owner, postgresql_where=~notes.c.hidden)
