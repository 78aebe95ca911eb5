"""The exam schema: the bank, exams, papers, attempts and what belongs to them. No column holds an answer key.

What belongs to a student's attempt leads with `student_id`, in every unique key, so that the schema can be
distributed by student without a redesign. Points are whole hundredths; times are timestamptz.
"""

import sqlalchemy as sa
from examkit import shared_tables
from sqlalchemy.dialects import postgresql as pg

from exam_service import file_tables, intervention_tables

metadata = sa.MetaData()
SHARED = shared_tables.define(metadata)
answer_files, question_files = file_tables.define(metadata)
attempt_history, incidents, incident_attempts = intervention_tables.define(metadata)

MAX_REVISION = 2**53 - 1

# fmt: off
QUESTION_TYPES = (
    "single_choice", "multi_choice", "true_false", "numeric", "short_text", "text", "image",
)
# fmt: on
EXAM_STATUSES = ("draft", "publishing", "published", "closed")
ATTEMPT_STATUSES = ("in_progress", "paused", "submitted", "expired", "void")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _moment(name: str, *, nullable: bool = False, default: bool = False) -> "sa.Column[object]":
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        server_default=sa.func.now() if default else None,
    )


# The bank. A row here points at the current version, and repeats what lists filter by.
questions = sa.Table(
    "questions",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("version_id", sa.Uuid, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("tags", pg.ARRAY(sa.Text), nullable=False),
    _moment("created_at", default=True),
    _moment("updated_at", default=True),
    _moment("archived_at", nullable=True),
    sa.PrimaryKeyConstraint("id", name="questions_pkey"),
    sa.UniqueConstraint("version_id", name="questions_version_id_key"),
    sa.CheckConstraint("version >= 1", name="questions_version_check"),
    sa.CheckConstraint(_one_of("type", QUESTION_TYPES), name="questions_type_check"),
    sa.CheckConstraint("external_id <> ''", name="questions_external_id_check"),
)
sa.Index(
    "questions_external_id_idx",
    questions.c.external_id,
    unique=True,
    postgresql_where=questions.c.archived_at.is_(None),
)
sa.Index(
    "questions_newest_idx",
    questions.c.created_at,
    questions.c.id,
    postgresql_where=questions.c.archived_at.is_(None),
)
sa.Index(
    "questions_category_idx",
    questions.c.category,
    questions.c.created_at,
    questions.c.id,
    postgresql_where=questions.c.archived_at.is_(None),
)
sa.Index("questions_tags_idx", questions.c.tags, postgresql_using="gin")

# Append-only: the serving role may neither update nor delete here.
question_versions = sa.Table(
    "question_versions",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("options", pg.JSONB, nullable=False),
    sa.Column("points_hundredths", sa.BigInteger, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("tags", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("media", pg.JSONB(none_as_null=True)),
    _moment("created_at", default=True),
    sa.PrimaryKeyConstraint("id", name="question_versions_pkey"),
    sa.UniqueConstraint("question_id", "version", name="question_versions_question_id_version_key"),
    sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name="question_versions_question_id_fkey"),
    sa.CheckConstraint("version >= 1", name="question_versions_version_check"),
    sa.CheckConstraint(_one_of("type", QUESTION_TYPES), name="question_versions_type_check"),
    sa.CheckConstraint(
        "points_hundredths BETWEEN 1 AND 100000", name="question_versions_points_hundredths_check"
    ),
    sa.CheckConstraint("jsonb_typeof(options) = 'array'", name="question_versions_options_check"),
    sa.CheckConstraint("jsonb_typeof(media) = 'array'", name="question_versions_media_check"),
)

exams = sa.Table(
    "exams",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="draft"),
    # Grows with each ExamChanged; consumers apply only a higher one.
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("instructions", sa.Text, nullable=False, server_default=""),
    sa.Column("duration_minutes", sa.Integer, nullable=False),
    _moment("start_time", nullable=True),
    _moment("end_time", nullable=True),
    sa.Column("grace_seconds", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("shuffle_questions", sa.Boolean, nullable=False),
    sa.Column("shuffle_options", sa.Boolean, nullable=False),
    sa.Column("multi_choice", sa.Text, nullable=False),
    sa.Column("wrong_penalty", sa.Numeric, nullable=False),
    sa.Column("result_policy", sa.Text, nullable=False),
    sa.Column("reveal", sa.Text, nullable=False),
    sa.Column("access_code", sa.Text, nullable=False, server_default=""),
    sa.Column("roster_all", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("roster_groups", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    # Of the frozen paper; null in a draft.
    sa.Column("question_count", sa.Integer),
    sa.Column("max_possible_hundredths", sa.BigInteger),
    # Who asked for the publication, for the audit of one that a worker finishes.
    sa.Column("publishing_by", sa.Text),
    _moment("publishing_at", nullable=True),
    _moment("created_at", default=True),
    _moment("updated_at", default=True),
    _moment("published_at", nullable=True),
    _moment("closed_at", nullable=True),
    # Since when the deadlines of attempts under way are behind the window; null: they are not.
    _moment("deadlines_due", nullable=True),
    sa.PrimaryKeyConstraint("id", name="exams_pkey"),
    sa.CheckConstraint(_one_of("status", EXAM_STATUSES), name="exams_status_check"),
    sa.CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="exams_title_check"),
    sa.CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name="exams_duration_minutes_check"),
    sa.CheckConstraint("end_time > start_time", name="exams_end_time_check"),
    sa.CheckConstraint("grace_seconds BETWEEN 0 AND 300", name="exams_grace_seconds_check"),
    sa.CheckConstraint("max_attempts BETWEEN 1 AND 100", name="exams_max_attempts_check"),
    sa.CheckConstraint("wrong_penalty BETWEEN 0 AND 1", name="exams_wrong_penalty_check"),
    sa.CheckConstraint(
        _one_of("multi_choice", ("all_or_nothing", "partial")), name="exams_multi_choice_check"
    ),
    sa.CheckConstraint(
        _one_of("result_policy", ("immediate", "after_close", "manual")), name="exams_result_policy_check"
    ),
    sa.CheckConstraint(_one_of("reveal", ("score", "correctness", "answers")), name="exams_reveal_check"),
    sa.CheckConstraint(
        "status NOT IN ('published', 'closed') OR published_at IS NOT NULL", name="exams_published_at_check"
    ),
    sa.CheckConstraint("status <> 'closed' OR closed_at IS NOT NULL", name="exams_closed_at_check"),
    sa.CheckConstraint(
        "status = 'draft' OR (question_count > 0 AND max_possible_hundredths > 0)", name="exams_paper_check"
    ),
)
sa.Index("exams_newest_idx", exams.c.created_at, exams.c.id)
sa.Index(
    "exams_deadlines_due_idx", exams.c.deadlines_due, postgresql_where=exams.c.deadlines_due.is_not(None)
)
sa.Index("exams_publishing_idx", exams.c.publishing_at, postgresql_where=exams.c.status == "publishing")

# What an exam is built from while it is a draft: which questions, at whichever version is current.
exam_questions = sa.Table(
    "exam_questions",
    metadata,
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("points_hundredths", sa.BigInteger),
    sa.PrimaryKeyConstraint("exam_id", "position", name="exam_questions_pkey"),
    sa.UniqueConstraint("exam_id", "question_id", name="exam_questions_exam_id_question_id_key"),
    sa.ForeignKeyConstraint(
        ["exam_id"], ["exams.id"], name="exam_questions_exam_id_fkey", ondelete="CASCADE"
    ),
    sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name="exam_questions_question_id_fkey"),
    sa.CheckConstraint("position >= 1", name="exam_questions_position_check"),
    sa.CheckConstraint(
        "points_hundredths BETWEEN 1 AND 100000", name="exam_questions_points_hundredths_check"
    ),
)
sa.Index("exam_questions_question_id_idx", exam_questions.c.question_id)

# The frozen paper: written once when the exam is published, and never changed after.
paper_questions = sa.Table(
    "paper_questions",
    metadata,
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("version_id", sa.Uuid, nullable=False),
    sa.Column("points_hundredths", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("exam_id", "position", name="paper_questions_pkey"),
    sa.UniqueConstraint("exam_id", "question_id", name="paper_questions_exam_id_question_id_key"),
    sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="paper_questions_exam_id_fkey"),
    sa.ForeignKeyConstraint(["version_id"], ["question_versions.id"], name="paper_questions_version_id_fkey"),
    sa.CheckConstraint("position >= 1", name="paper_questions_position_check"),
    sa.CheckConstraint(
        "points_hundredths BETWEEN 1 AND 100000", name="paper_questions_points_hundredths_check"
    ),
)

# The students an exam names one by one; groups and "all" stand on the exam itself.
roster_students = sa.Table(
    "roster_students",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.PrimaryKeyConstraint("student_id", "exam_id", name="roster_students_pkey"),
    sa.ForeignKeyConstraint(
        ["exam_id"], ["exams.id"], name="roster_students_exam_id_fkey", ondelete="CASCADE"
    ),
)
sa.Index("roster_students_exam_id_idx", roster_students.c.exam_id)

# Attempts.
student_exams = sa.Table(
    "student_exams",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid, nullable=False),
    sa.Column("attempt_no", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="in_progress"),
    # Grows with each change of status; events carry it, and only a newer one is applied.
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    _moment("started_at"),
    _moment("deadline"),
    sa.Column("deadline_version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("deadline_reason", sa.Text, nullable=False),
    # By extensions, on top of everything else.
    sa.Column("granted_minutes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("grace_seconds", sa.Integer, nullable=False),
    _moment("closed_at", nullable=True),
    # submitted: by the student · time_up: by the clock.
    sa.Column("close_reason", sa.Text),
    _moment("last_activity"),
    sa.Column("resumes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seed", sa.LargeBinary, nullable=False),
    # The receipt, set when the attempt closes.
    sa.Column("answers_digest", sa.Text),
    sa.Column("answer_count", sa.Integer),
    # The version that grading says it graded, and when its AttemptClosed is sent again unless that comes.
    sa.Column("graded_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("announcements", sa.Integer, nullable=False, server_default="0"),
    _moment("announce_at", nullable=True),
    # How far pauses and reopening moved the deadline, and since when a paused one stands still.
    sa.Column("shifted", sa.Interval, nullable=False, server_default="0"),
    _moment("paused_at", nullable=True),
    # When anything but a save changed it. In no index, so that saves don't pay for the monitor.
    _moment("changed_at", default=True),
    sa.PrimaryKeyConstraint("student_id", "id", name="student_exams_pkey"),
    sa.UniqueConstraint(
        "student_id", "exam_id", "attempt_no", name="student_exams_student_id_exam_id_attempt_no_key"
    ),
    sa.CheckConstraint(_one_of("status", ATTEMPT_STATUSES), name="student_exams_status_check"),
    sa.CheckConstraint("attempt_no >= 1", name="student_exams_attempt_no_check"),
    sa.CheckConstraint("grace_seconds BETWEEN 0 AND 300", name="student_exams_grace_seconds_check"),
    sa.CheckConstraint("octet_length(seed) = 32", name="student_exams_seed_check"),
    sa.CheckConstraint(
        "(status IN ('in_progress', 'paused')) = (closed_at IS NULL)", name="student_exams_closed_at_check"
    ),
    sa.CheckConstraint("status = 'paused' OR paused_at IS NULL", name="student_exams_paused_at_check"),
)
sa.Index(
    "student_exams_open_idx",
    student_exams.c.student_id,
    student_exams.c.exam_id,
    unique=True,
    postgresql_where=student_exams.c.status.in_(("in_progress", "paused")),
)
sa.Index("student_exams_id_idx", student_exams.c.id)
sa.Index("student_exams_exam_id_idx", student_exams.c.exam_id, student_exams.c.id)
sa.Index(
    "student_exams_due_idx",
    student_exams.c.deadline,
    postgresql_where=student_exams.c.status == "in_progress",
)
sa.Index(
    "student_exams_announce_at_idx",
    student_exams.c.announce_at,
    postgresql_where=student_exams.c.announce_at.is_not(None),
)

# As the student sees them: the letters of the attempt. Translated when the attempt closes.
student_answers = sa.Table(
    "student_answers",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("question_id", sa.Uuid, nullable=False),
    sa.Column("answer", pg.JSONB(none_as_null=False), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    # Whether the page chose the revision; without one the save took the stored one + 1.
    sa.Column("own_revision", sa.Boolean, nullable=False),
    _moment("saved_at"),
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", "question_id", name="student_answers_pkey"),
    sa.ForeignKeyConstraint(
        ["student_id", "student_exam_id"],
        ["student_exams.student_id", "student_exams.id"],
        name="student_answers_student_exam_fkey",
    ),
    sa.CheckConstraint(f"revision BETWEEN 0 AND {MAX_REVISION}", name="student_answers_revision_check"),
)

# exam_id null: the person's own, for all exams. No medical reasons here.
accommodations = sa.Table(
    "accommodations",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("exam_id", sa.Uuid),
    sa.Column("extra_time_percent", sa.Integer, nullable=False),
    sa.Column("extra_attempts", sa.Integer, nullable=False, server_default="0"),
    _moment("start_time", nullable=True),
    _moment("end_time", nullable=True),
    _moment("updated_at", default=True),
    sa.PrimaryKeyConstraint("student_id", "id", name="accommodations_pkey"),
    sa.UniqueConstraint(
        "student_id",
        "exam_id",
        name="accommodations_student_id_exam_id_key",
        postgresql_nulls_not_distinct=True,
    ),
    sa.CheckConstraint(
        "extra_time_percent BETWEEN 0 AND 400", name="accommodations_extra_time_percent_check"
    ),
    sa.CheckConstraint("extra_attempts BETWEEN 0 AND 10", name="accommodations_extra_attempts_check"),
    sa.CheckConstraint("end_time > start_time", name="accommodations_end_time_check"),
)
sa.Index("accommodations_exam_id_idx", accommodations.c.exam_id)

# What the page noticed. `at` is the browser's word, `received_at` ours.
integrity_events = sa.Table(
    "integrity_events",
    metadata,
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("student_exam_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _moment("at"),
    _moment("received_at", default=True),
    sa.Column("detail", pg.JSONB(none_as_null=True)),
    # The same event sent again is the same row.
    sa.PrimaryKeyConstraint("student_id", "student_exam_id", "at", "kind", name="integrity_events_pkey"),
    sa.ForeignKeyConstraint(
        ["student_id", "student_exam_id"],
        ["student_exams.student_id", "student_exams.id"],
        name="integrity_events_student_exam_fkey",
    ),
    sa.CheckConstraint(
        _one_of(
            "kind",
            ("tab_hidden", "tab_visible", "paste", "copy", "fullscreen_exit", "offline", "online"),
        ),
        name="integrity_events_kind_check",
    ),
)
