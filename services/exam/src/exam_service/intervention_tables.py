"""The tables of what staff did to attempts, one by one and to many at once."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


def define(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """The history of attempts, incidents, and the attempts that each of these concerns."""
    return _attempt_history(metadata), _incidents(metadata), _incident_attempts(metadata)


def _attempt_history(metadata: sa.MetaData) -> sa.Table:
    """Attempts as they were before and after, and for a reopened one the answers it had closed with.

    Append-only: the serving role may neither update nor delete here.
    """
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


def _incidents(metadata: sa.MetaData) -> sa.Table:
    """What was done for many who sat an exam. `undo_of`: the one that it takes back."""
    table = sa.Table(
        "incidents",
        metadata,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("minutes", sa.Integer),
        sa.Column("scope", pg.JSONB, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("undo_of", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="incidents_pkey"),
        sa.UniqueConstraint("undo_of", name="incidents_undo_of_key"),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="incidents_exam_id_fkey"),
        sa.ForeignKeyConstraint(["undo_of"], ["incidents.id"], name="incidents_undo_of_fkey"),
        sa.CheckConstraint("action IN ('pause', 'resume', 'add_minutes')", name="incidents_action_check"),
        sa.CheckConstraint(
            "(action = 'add_minutes') = (minutes IS NOT NULL)", name="incidents_minutes_check"
        ),
    )
    sa.Index("incidents_exam_id_idx", table.c.exam_id, table.c.id)
    sa.Index("incidents_unfinished_idx", table.c.id, postgresql_where=table.c.finished_at.is_(None))
    return table


def _incident_attempts(metadata: sa.MetaData) -> sa.Table:
    """Whom an incident concerns. Without an outcome where it is not done yet."""
    table = sa.Table(
        "incident_attempts",
        metadata,
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("incident_id", sa.Uuid, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint(
            "student_id", "student_exam_id", "incident_id", name="incident_attempts_pkey"
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="incident_attempts_incident_id_fkey"),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="incident_attempts_student_exam_fkey",
        ),
        sa.CheckConstraint("outcome IN ('done', 'skipped')", name="incident_attempts_outcome_check"),
    )
    sa.Index("incident_attempts_incident_id_idx", table.c.incident_id, table.c.student_exam_id)
    return table
