"""What staff do to attempts: pauses and shifts of the deadline, and the history of it all."""

import sqlalchemy as sa
from alembic import op
from examkit.migrate import append_only, serve_role
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
step = "pre"


def upgrade() -> None:
    op.add_column("student_exams", sa.Column("shifted", sa.Interval(), server_default="0", nullable=False))
    op.add_column("student_exams", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    # Whether the rows that are there hold to it is looked at in 0008, when nobody has to wait for it.
    op.execute(
        "ALTER TABLE student_exams ADD CONSTRAINT student_exams_paused_at_check "
        "CHECK (status = 'paused' OR paused_at IS NULL) NOT VALID"
    )
    _attempt_history()


def _attempt_history() -> None:
    op.create_table(
        "attempt_history",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("student_exam_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("answers", postgresql.JSONB(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "action IN ('extended', 'paused', 'resumed', 'voided', 'reopened')",
            name="attempt_history_action_check",
        ),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="attempt_history_student_exam_fkey",
        ),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", "id", name="attempt_history_pkey"),
    )
    append_only(op, "attempt_history", serve_role())
