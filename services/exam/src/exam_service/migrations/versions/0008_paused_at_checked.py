"""The check on pauses holds for the rows that were there before it: saves go on while they are read."""

from alembic import op

revision = "0008"
down_revision = "0007"
step = "pre"


def upgrade() -> None:
    op.execute("ALTER TABLE student_exams VALIDATE CONSTRAINT student_exams_paused_at_check")
