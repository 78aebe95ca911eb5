"""Since when the deadlines of attempts under way are behind their exam's window."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
step = "pre"


def upgrade() -> None:
    op.add_column("exams", sa.Column("deadlines_due", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "exams_deadlines_due_idx",
        "exams",
        ["deadlines_due"],
        postgresql_where=sa.text("deadlines_due IS NOT NULL"),
    )
