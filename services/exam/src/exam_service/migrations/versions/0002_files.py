"""Pictures: those of answers and those in questions. Their bytes lie in the file store."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
step = "pre"


def upgrade() -> None:
    _answer_files()
    _question_files()


def _answer_files() -> None:
    op.create_table(
        "answer_files",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("student_exam_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name="answer_files_size_bytes_check"),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="answer_files_student_exam_fkey",
        ),
        sa.PrimaryKeyConstraint("student_id", "id", name="answer_files_pkey"),
    )
    columns = ["student_id", "student_exam_id", "question_id"]
    op.create_index("answer_files_question_idx", "answer_files", columns)
    op.create_index("answer_files_id_idx", "answer_files", ["id"])


def _question_files() -> None:
    op.create_table(
        "question_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size_bytes > 0", name="question_files_size_bytes_check"),
        sa.PrimaryKeyConstraint("id", name="question_files_pkey"),
    )
