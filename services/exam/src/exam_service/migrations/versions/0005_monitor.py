"""When an attempt was changed by anything but a save: what the monitor looks for beside `last_activity`."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
step = "pre"


def upgrade() -> None:
    op.add_column(
        "student_exams",
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
