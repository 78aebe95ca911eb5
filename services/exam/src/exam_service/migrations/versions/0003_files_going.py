"""Files that are being removed: nothing may name them from then on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
step = "pre"


def upgrade() -> None:
    for table in ("answer_files", "question_files"):
        op.add_column(table, sa.Column("going_at", sa.DateTime(timezone=True), nullable=True))
