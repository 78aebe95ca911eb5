"""The first schema of grading."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from examkit.migrate import append_only, create_shared_tables, serve_role
from sqlalchemy.dialects import postgresql as pg

revision = "0001"
down_revision = None

_TYPES = "type IN ('single_choice','multi_choice','true_false','numeric','short_text','text','image')"


def upgrade() -> None:
    create_shared_tables(op)
    _keys_and_papers()
    _policies()
    _grades()
    _views_and_history()
    for table in ("answer_keys", "mark_history"):
        append_only(op, table, serve_role())


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _keys_and_papers() -> None:
    op.create_table(
        "answer_keys",
        sa.Column("version_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("option_ids", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("key", pg.JSONB),
        sa.Column("explanation", sa.Text, nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("version_id", name="answer_keys_pkey"),
        sa.CheckConstraint(_TYPES, name="answer_keys_type_check"),
    )
    op.create_table(
        "papers",
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("multi_choice", sa.Text, nullable=False),
        sa.Column("wrong_penalty", sa.Numeric(5, 4), nullable=False),
        _now("frozen_at"),
        sa.PrimaryKeyConstraint("exam_id", name="papers_pkey"),
        sa.CheckConstraint("multi_choice IN ('all_or_nothing','partial')", name="papers_multi_choice_check"),
        sa.CheckConstraint("wrong_penalty BETWEEN 0 AND 1", name="papers_wrong_penalty_check"),
    )
    op.create_table(
        "paper_questions",
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Uuid, nullable=False),
        sa.Column("version_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("option_ids", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("exam_id", "question_id", name="paper_questions_pkey"),
        sa.ForeignKeyConstraint(["exam_id"], ["papers.exam_id"], name="paper_questions_exam_id_fkey"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["answer_keys.version_id"], name="paper_questions_version_id_fkey"
        ),
        sa.CheckConstraint(_TYPES, name="paper_questions_type_check"),
        sa.CheckConstraint("points > 0", name="paper_questions_points_check"),
    )


def _policies() -> None:
    op.create_table(
        "exam_policies",
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("result_policy", sa.Text, nullable=False),
        sa.Column("reveal", sa.Text, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        _moment("end_time"),
        _moment("last_possible_end"),
        _moment("released_at"),
        sa.PrimaryKeyConstraint("exam_id", name="exam_policies_pkey"),
        sa.CheckConstraint(
            "result_policy IN ('immediate','after_close','manual')", name="exam_policies_result_policy_check"
        ),
        sa.CheckConstraint("reveal IN ('score','correctness','answers')", name="exam_policies_reveal_check"),
    )


def _grades() -> None:
    op.create_table(
        "grades",
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("attempt_no", sa.Integer, nullable=False),
        sa.Column("attempt_version", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        _moment("started_at", nullable=False),
        _moment("closed_at", nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("total", "max_possible")),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("percentage", "graded_count", "pending_count")
        ),
        sa.Column("letterings", pg.JSONB, nullable=False),
        _moment("graded_at", nullable=False),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", name="grades_pkey"),
        sa.CheckConstraint("status IN ('submitted','expired')", name="grades_status_check"),
        sa.CheckConstraint("total >= 0", name="grades_total_check"),
        sa.CheckConstraint("max_possible >= 0", name="grades_max_possible_check"),
    )
    op.create_index("grades_student_exam_id_idx", "grades", ["student_exam_id"])
    op.create_index("grades_exam_id_idx", "grades", ["exam_id", "student_exam_id"])
    op.create_index("grades_listing_idx", "grades", ["student_id", "closed_at", "student_exam_id"])
    op.create_table(
        "grade_items",
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Uuid, nullable=False),
        sa.Column("exam_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("is_correct", sa.Boolean),
        sa.Column("score", sa.BigInteger),
        sa.Column("max_score", sa.BigInteger, nullable=False),
        sa.Column("answer", pg.JSONB),
        sa.Column("shown", pg.JSONB),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("marked_by", sa.Uuid),
        _moment("closed_at", nullable=False),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", name="grade_items_pkey"),
        sa.CheckConstraint("status IN ('graded','pending','excluded')", name="grade_items_status_check"),
        sa.CheckConstraint("(status = 'pending') = (score IS NULL)", name="grade_items_pending_check"),
        sa.CheckConstraint("score <= max_score", name="grade_items_score_check"),
    )
    op.create_index(
        "grade_items_pending_idx",
        "grade_items",
        ["exam_id", "closed_at", "student_exam_id", "question_id"],
        postgresql_where=sa.text("status = 'pending'"),
    )


def _views_and_history() -> None:
    op.create_table(
        "mark_history",
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("score", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("marked_by", sa.Uuid, nullable=False),
        _now("marked_at"),
        sa.PrimaryKeyConstraint(
            "student_id", "student_exam_id", "question_id", "id", name="mark_history_pkey"
        ),
    )
    op.create_table(
        "student_views",
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("plain", pg.JSONB, nullable=False),
        sa.Column("revealing", pg.JSONB, nullable=False),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", name="student_views_pkey"),
    )
