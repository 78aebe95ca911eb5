"""Notes can be hidden; taken in after the roll-out of the code."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
step = "post"


def upgrade() -> None:
    op.add_column("notes", sa.Column("hidden", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("notes_shown_idx", "notes", ["owner"], postgresql_where=sa.text("NOT hidden"))
