"""Attempts that were reopened or declared void: their grades don't count."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
step = "pre"


def upgrade() -> None:
    op.add_column("grades", sa.Column("withdrawn", sa.Boolean, server_default=sa.false(), nullable=False))
    op.create_table(
        "withdrawals",
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("attempt_version", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", name="withdrawals_pkey"),
        sa.CheckConstraint("cause IN ('reopened','void')", name="withdrawals_cause_check"),
    )
