"""Marking by several people: who holds which answer, how often it was marked, and by which criteria."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "claims",
        *(
            sa.Column(name, sa.Uuid, nullable=False)
            for name in ("student_id", "student_exam_id", "question_id", "marker_id")
        ),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", name="claims_pkey"),
    )
    op.add_column("grade_items", sa.Column("mark_version", sa.Integer, nullable=False, server_default="0"))
    for table in ("grade_items", "mark_history"):
        op.add_column(table, sa.Column("criteria", pg.JSONB, nullable=False, server_default="[]"))
