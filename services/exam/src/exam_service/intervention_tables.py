"""The tables of what staff did. Append-only: the serving role may neither update nor delete here."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def define(metadata: sa.MetaData) -> sa.Table:
    """Attempts as they were before and after, and for a reopened one the answers it had closed with."""
    return sa.Table(
        "attempt_history",
        metadata,
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("before", pg.JSONB, nullable=False),
        sa.Column("after", pg.JSONB, nullable=False),
        sa.Column("answers", pg.JSONB(none_as_null=True)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", "id", name="attempt_history_pkey"),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="attempt_history_student_exam_fkey",
        ),
        sa.CheckConstraint(
            "action IN ('extended', 'paused', 'resumed', 'voided', 'reopened')",
            name="attempt_history_action_check",
        ),
    )
