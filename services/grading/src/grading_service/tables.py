"""The schema `grading`. What belongs to an attempt is keyed by the student first."""

from typing import Any

import sqlalchemy as sa
from examkit import shared_tables
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()
shared = shared_tables.define(metadata)

_TYPES = "type IN ('single_choice','multi_choice','true_false','numeric','short_text','text','image')"


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


# Never changed once written: a key is part of its question's version.
answer_keys = sa.Table(
    "answer_keys",
    metadata,
    sa.Column("version_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("option_ids", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("key", pg.JSONB(none_as_null=True)),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("version_id", name="answer_keys_pkey"),
    sa.CheckConstraint(_TYPES, name="answer_keys_type_check"),
)

# What an exam asks, frozen at publishing. `rules_version` counts its regrades, `applied_version` those that
# reached every grade.
papers = sa.Table(
    "papers",
    metadata,
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("multi_choice", sa.Text, nullable=False),
    sa.Column("wrong_penalty", sa.Numeric(5, 4), nullable=False),
    sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("rules_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("applied_version", sa.Integer, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("exam_id", name="papers_pkey"),
    sa.CheckConstraint("multi_choice IN ('all_or_nothing','partial')", name="papers_multi_choice_check"),
    sa.CheckConstraint("wrong_penalty BETWEEN 0 AND 1", name="papers_wrong_penalty_check"),
    sa.CheckConstraint("applied_version <= rules_version", name="papers_applied_version_check"),
    sa.Index(
        "papers_unapplied_idx",
        "exam_id",
        postgresql_where=sa.text("applied_version < rules_version"),
    ),
)

paper_questions = sa.Table(
    "paper_questions",
    metadata,
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

# What was decided about a question after publishing; the key is a version of its key. The serving role may
# only add to it.
regrades = sa.Table(
    "regrades",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("key", pg.JSONB(none_as_null=True)),
    sa.Column("undoes", sa.Uuid),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Uuid, nullable=False),
    _moment("at", nullable=False),
    sa.PrimaryKeyConstraint("id", name="regrades_pkey"),
    sa.UniqueConstraint("exam_id", "version", name="regrades_exam_id_version_key"),
    sa.UniqueConstraint("undoes", name="regrades_undoes_key"),
    sa.ForeignKeyConstraint(["undoes"], ["regrades.id"], name="regrades_undoes_fkey"),
    sa.CheckConstraint(_TYPES, name="regrades_type_check"),
    sa.CheckConstraint("policy IN ('rekey','full_marks','exclude','rollback')", name="regrades_policy_check"),
    sa.CheckConstraint("(policy = 'rekey') = (key IS NOT NULL)", name="regrades_key_check"),
    sa.CheckConstraint("(policy = 'rollback') = (undoes IS NOT NULL)", name="regrades_undoes_check"),
)

# What may be shown when: follows the exam service by events, `version` decides.
exam_policies = sa.Table(
    "exam_policies",
    metadata,
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

# Points and percentages in hundredths. `rules_version`: up to which regrade of the exam; `revision` counts
# what the grade has been; `changes`: what regrades did to it, as the student is told.
grades = sa.Table(
    "grades",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("attempt_no", sa.Integer, nullable=False),
    sa.Column("attempt_version", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _moment("started_at", nullable=False),
    _moment("closed_at", nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("max_possible", sa.BigInteger, nullable=False),
    sa.Column("percentage", sa.Integer, nullable=False),
    sa.Column("graded_count", sa.Integer, nullable=False),
    sa.Column("pending_count", sa.Integer, nullable=False),
    sa.Column("letterings", pg.JSONB, nullable=False),
    _moment("graded_at", nullable=False),
    # Reopened or void since: it counts nowhere until a newer version is graded.
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("rules_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("changes", pg.JSONB, nullable=False, server_default="[]"),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", name="grades_pkey"),
    sa.CheckConstraint("status IN ('submitted','expired')", name="grades_status_check"),
    sa.CheckConstraint("total >= 0", name="grades_total_check"),
    sa.CheckConstraint("max_possible >= 0", name="grades_max_possible_check"),
    sa.Index("grades_student_exam_id_idx", "student_exam_id"),
    sa.Index("grades_exam_id_idx", "exam_id", "student_exam_id"),
    sa.Index("grades_listing_idx", "student_id", "closed_at", "student_exam_id"),
)

grade_items = sa.Table(
    "grade_items",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("is_correct", sa.Boolean),
    sa.Column("score", sa.BigInteger),
    sa.Column("max_score", sa.BigInteger, nullable=False),
    sa.Column("answer", pg.JSONB(none_as_null=True)),
    sa.Column("shown", pg.JSONB(none_as_null=True)),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("marked_by", sa.Uuid),
    # What a person gave: `score`, unless a regrade goes before it.
    sa.Column("marked_score", sa.BigInteger),
    # How often it was marked or lost its mark, and the lines of a rubric that were chosen.
    sa.Column("mark_version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("criteria", pg.JSONB, nullable=False, server_default="[]"),
    _moment("closed_at", nullable=False),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", name="grade_items_pkey"),
    sa.CheckConstraint("status IN ('graded','pending','excluded')", name="grade_items_status_check"),
    sa.CheckConstraint("(status = 'pending') = (score IS NULL)", name="grade_items_pending_check"),
    sa.CheckConstraint("score <= max_score", name="grade_items_score_check"),
    sa.Index(
        "grade_items_pending_idx",
        "exam_id",
        "closed_at",
        "student_exam_id",
        "question_id",
        postgresql_where=sa.text("status = 'pending'"),
    ),
)

# Attempts that were reopened or declared void, with the version from which on; also where no grade came yet.
withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("attempt_version", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    _moment("withdrawn_at", nullable=False),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", name="withdrawals_pkey"),
    sa.CheckConstraint("cause IN ('reopened','void')", name="withdrawals_cause_check"),
)

# Every manual mark ever given. The serving role may only add to it.
mark_history = sa.Table(
    "mark_history",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("score", sa.BigInteger, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("marked_by", sa.Uuid, nullable=False),
    sa.Column("criteria", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", "id", name="mark_history_pkey"),
)

# Who is marking which answer, until when; others wait, or take it once the time is up.
claims = sa.Table(
    "claims",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("marker_id", sa.Uuid, nullable=False),
    _moment("until", nullable=False),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", name="claims_pkey"),
)

# Every score that was replaced, by a regrade or by another version of the attempt (then without an after).
# The serving role may only add to it.
score_history = sa.Table(
    "score_history",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("regrade_id", sa.Uuid),
    sa.Column("attempt_no", sa.Integer, nullable=False),
    sa.Column("attempt_version", sa.BigInteger, nullable=False),
    sa.Column("status_before", sa.Text, nullable=False),
    sa.Column("score_before", sa.BigInteger),
    sa.Column("status_after", sa.Text),
    sa.Column("score_after", sa.BigInteger),
    sa.Column("total_before", sa.BigInteger, nullable=False),
    sa.Column("max_before", sa.BigInteger, nullable=False),
    sa.Column("total_after", sa.BigInteger),
    sa.Column("max_after", sa.BigInteger),
    _moment("at", nullable=False),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", "id", name="score_history_pkey"),
    sa.Index("score_history_regrade_id_idx", "regrade_id"),
)

# What the student may be shown, apart from the grade; `revealing` holds right answers, `plain` none.
student_views = sa.Table(
    "student_views",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("plain", pg.JSONB, nullable=False),
    sa.Column("revealing", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", name="student_views_pkey"),
)
