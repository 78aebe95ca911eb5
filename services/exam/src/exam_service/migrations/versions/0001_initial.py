"""The first schema: the bank, exams, papers, rosters, attempts, answers, accommodations, integrity events."""

import sqlalchemy as sa
from alembic import op
from examkit.migrate import append_only, create_shared_tables, serve_role
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
step = "pre"


def upgrade() -> None:
    create_shared_tables(op)
    _accommodations()
    _exams()
    _questions()
    _student_exams()
    _exam_questions()
    _integrity_events()
    _question_versions()
    _roster_students()
    _student_answers()
    _paper_questions()
    append_only(op, "question_versions", serve_role())
    append_only(op, "integrity_events", serve_role())


def _accommodations() -> None:
    op.create_table(
        "accommodations",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=True),
        sa.Column("extra_time_percent", sa.Integer(), nullable=False),
        sa.Column("extra_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("end_time > start_time", name="accommodations_end_time_check"),
        sa.CheckConstraint("extra_attempts BETWEEN 0 AND 10", name="accommodations_extra_attempts_check"),
        sa.CheckConstraint(
            "extra_time_percent BETWEEN 0 AND 400", name="accommodations_extra_time_percent_check"
        ),
        sa.PrimaryKeyConstraint("student_id", "id", name="accommodations_pkey"),
        sa.UniqueConstraint(
            "student_id",
            "exam_id",
            name="accommodations_student_id_exam_id_key",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("accommodations_exam_id_idx", "accommodations", ["exam_id"], unique=False)


def _exams() -> None:
    op.create_table(
        "exams",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("instructions", sa.Text(), server_default="", nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_seconds", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("shuffle_questions", sa.Boolean(), nullable=False),
        sa.Column("shuffle_options", sa.Boolean(), nullable=False),
        sa.Column("multi_choice", sa.Text(), nullable=False),
        sa.Column("wrong_penalty", sa.Numeric(), nullable=False),
        sa.Column("result_policy", sa.Text(), nullable=False),
        sa.Column("reveal", sa.Text(), nullable=False),
        sa.Column("access_code", sa.Text(), server_default="", nullable=False),
        sa.Column("roster_all", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("roster_groups", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("question_count", sa.Integer(), nullable=True),
        sa.Column("max_possible_hundredths", sa.BigInteger(), nullable=True),
        sa.Column("publishing_by", sa.Text(), nullable=True),
        sa.Column("publishing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("multi_choice IN ('all_or_nothing', 'partial')", name="exams_multi_choice_check"),
        sa.CheckConstraint(
            "result_policy IN ('immediate', 'after_close', 'manual')", name="exams_result_policy_check"
        ),
        sa.CheckConstraint("reveal IN ('score', 'correctness', 'answers')", name="exams_reveal_check"),
        sa.CheckConstraint("status <> 'closed' OR closed_at IS NOT NULL", name="exams_closed_at_check"),
        sa.CheckConstraint(
            "status = 'draft' OR (question_count > 0 AND max_possible_hundredths > 0)",
            name="exams_paper_check",
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'publishing', 'published', 'closed')", name="exams_status_check"
        ),
        sa.CheckConstraint(
            "status NOT IN ('published', 'closed') OR published_at IS NOT NULL",
            name="exams_published_at_check",
        ),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="exams_title_check"),
        sa.CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name="exams_duration_minutes_check"),
        sa.CheckConstraint("end_time > start_time", name="exams_end_time_check"),
        sa.CheckConstraint("grace_seconds BETWEEN 0 AND 300", name="exams_grace_seconds_check"),
        sa.CheckConstraint("max_attempts BETWEEN 1 AND 100", name="exams_max_attempts_check"),
        sa.CheckConstraint("wrong_penalty BETWEEN 0 AND 1", name="exams_wrong_penalty_check"),
        sa.PrimaryKeyConstraint("id", name="exams_pkey"),
    )
    op.create_index("exams_newest_idx", "exams", ["created_at", "id"], unique=False)
    op.create_index(
        "exams_publishing_idx",
        "exams",
        ["publishing_at"],
        unique=False,
        postgresql_where=sa.text("status = 'publishing'"),
    )


def _questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("external_id <> ''", name="questions_external_id_check"),
        sa.CheckConstraint(
            "type IN ('single_choice', 'multi_choice', 'true_false', 'numeric',"
            " 'short_text', 'text', 'image')",
            name="questions_type_check",
        ),
        sa.CheckConstraint("version >= 1", name="questions_version_check"),
        sa.PrimaryKeyConstraint("id", name="questions_pkey"),
        sa.UniqueConstraint("version_id", name="questions_version_id_key"),
    )
    op.create_index(
        "questions_category_idx",
        "questions",
        ["category", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "questions_external_id_idx",
        "questions",
        ["external_id"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "questions_newest_idx",
        "questions",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index("questions_tags_idx", "questions", ["tags"], unique=False, postgresql_using="gin")


def _student_exams() -> None:
    op.create_table(
        "student_exams",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_no", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="in_progress", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deadline_reason", sa.Text(), nullable=False),
        sa.Column("granted_minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("grace_seconds", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("last_activity", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resumes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("answers_digest", sa.Text(), nullable=True),
        sa.Column("answer_count", sa.Integer(), nullable=True),
        sa.Column("graded_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("announcements", sa.Integer(), server_default="0", nullable=False),
        sa.Column("announce_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status IN ('in_progress', 'paused')) = (closed_at IS NULL)",
            name="student_exams_closed_at_check",
        ),
        sa.CheckConstraint(
            "status IN ('in_progress', 'paused', 'submitted', 'expired', 'void')",
            name="student_exams_status_check",
        ),
        sa.CheckConstraint("attempt_no >= 1", name="student_exams_attempt_no_check"),
        sa.CheckConstraint("grace_seconds BETWEEN 0 AND 300", name="student_exams_grace_seconds_check"),
        sa.CheckConstraint("octet_length(seed) = 32", name="student_exams_seed_check"),
        sa.PrimaryKeyConstraint("student_id", "id", name="student_exams_pkey"),
        sa.UniqueConstraint(
            "student_id", "exam_id", "attempt_no", name="student_exams_student_id_exam_id_attempt_no_key"
        ),
    )
    op.create_index(
        "student_exams_announce_at_idx",
        "student_exams",
        ["announce_at"],
        unique=False,
        postgresql_where=sa.text("announce_at IS NOT NULL"),
    )
    op.create_index(
        "student_exams_due_idx",
        "student_exams",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("status = 'in_progress'"),
    )
    op.create_index("student_exams_exam_id_idx", "student_exams", ["exam_id", "id"], unique=False)
    op.create_index("student_exams_id_idx", "student_exams", ["id"], unique=False)
    op.create_index(
        "student_exams_open_idx",
        "student_exams",
        ["student_id", "exam_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('in_progress', 'paused')"),
    )


def _exam_questions() -> None:
    op.create_table(
        "exam_questions",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("points_hundredths", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "points_hundredths BETWEEN 1 AND 100000", name="exam_questions_points_hundredths_check"
        ),
        sa.CheckConstraint("position >= 1", name="exam_questions_position_check"),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name="exam_questions_exam_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name="exam_questions_question_id_fkey"),
        sa.PrimaryKeyConstraint("exam_id", "position", name="exam_questions_pkey"),
        sa.UniqueConstraint("exam_id", "question_id", name="exam_questions_exam_id_question_id_key"),
    )
    op.create_index("exam_questions_question_id_idx", "exam_questions", ["question_id"], unique=False)


def _integrity_events() -> None:
    op.create_table(
        "integrity_events",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("student_exam_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "kind IN ('tab_hidden', 'tab_visible', 'paste', 'copy', 'fullscreen_exit', 'offline', 'online')",
            name="integrity_events_kind_check",
        ),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="integrity_events_student_exam_fkey",
        ),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", "at", "kind", name="integrity_events_pkey"),
    )


def _question_versions() -> None:
    op.create_table(
        "question_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("points_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("media", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(media) = 'array'", name="question_versions_media_check"),
        sa.CheckConstraint("jsonb_typeof(options) = 'array'", name="question_versions_options_check"),
        sa.CheckConstraint(
            "type IN ('single_choice', 'multi_choice', 'true_false', 'numeric',"
            " 'short_text', 'text', 'image')",
            name="question_versions_type_check",
        ),
        sa.CheckConstraint(
            "points_hundredths BETWEEN 1 AND 100000", name="question_versions_points_hundredths_check"
        ),
        sa.CheckConstraint("version >= 1", name="question_versions_version_check"),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name="question_versions_question_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="question_versions_pkey"),
        sa.UniqueConstraint("question_id", "version", name="question_versions_question_id_version_key"),
    )


def _roster_students() -> None:
    op.create_table(
        "roster_students",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name="roster_students_exam_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("student_id", "exam_id", name="roster_students_pkey"),
    )
    op.create_index("roster_students_exam_id_idx", "roster_students", ["exam_id"], unique=False)


def _student_answers() -> None:
    op.create_table(
        "student_answers",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("student_exam_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("own_revision", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision BETWEEN 0 AND 9007199254740991", name="student_answers_revision_check"),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="student_answers_student_exam_fkey",
        ),
        sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", name="student_answers_pkey"),
    )


def _paper_questions() -> None:
    op.create_table(
        "paper_questions",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("points_hundredths", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "points_hundredths BETWEEN 1 AND 100000", name="paper_questions_points_hundredths_check"
        ),
        sa.CheckConstraint("position >= 1", name="paper_questions_position_check"),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="paper_questions_exam_id_fkey"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["question_versions.id"], name="paper_questions_version_id_fkey"
        ),
        sa.PrimaryKeyConstraint("exam_id", "position", name="paper_questions_pkey"),
        sa.UniqueConstraint("exam_id", "question_id", name="paper_questions_exam_id_question_id_key"),
    )
