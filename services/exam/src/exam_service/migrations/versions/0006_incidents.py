"""Incidents: what is done for many who sit an exam, and for whom it is done already."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
step = "pre"


def upgrade() -> None:
    _incidents()
    _incident_attempts()


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("scope", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_of", sa.Uuid(), nullable=True),
        sa.CheckConstraint("action IN ('pause', 'resume', 'add_minutes')", name="incidents_action_check"),
        sa.CheckConstraint(
            "(action = 'add_minutes') = (minutes IS NOT NULL)", name="incidents_minutes_check"
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="incidents_exam_id_fkey"),
        sa.ForeignKeyConstraint(["undo_of"], ["incidents.id"], name="incidents_undo_of_fkey"),
        sa.PrimaryKeyConstraint("id", name="incidents_pkey"),
        sa.UniqueConstraint("undo_of", name="incidents_undo_of_key"),
    )
    op.create_index("incidents_exam_id_idx", "incidents", ["exam_id", "id"], unique=False)
    op.create_index(
        "incidents_unfinished_idx", "incidents", ["id"], postgresql_where=sa.text("finished_at IS NULL")
    )


def _incident_attempts() -> None:
    op.create_table(
        "incident_attempts",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("student_exam_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('done', 'skipped')", name="incident_attempts_outcome_check"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="incident_attempts_incident_id_fkey"),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="incident_attempts_student_exam_fkey",
        ),
        sa.PrimaryKeyConstraint(
            "student_id", "student_exam_id", "incident_id", name="incident_attempts_pkey"
        ),
    )
    op.create_index(
        "incident_attempts_incident_id_idx", "incident_attempts", ["incident_id", "student_exam_id"]
    )
