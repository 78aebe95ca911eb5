"""The tables of pictures: those of answers and those in questions. Their bytes lie in the file store."""

import sqlalchemy as sa


def define(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """The pictures that students send as answers, and those in questions."""
    return _answer_files(metadata), _question_files(metadata)


def _answer_files(metadata: sa.MetaData) -> sa.Table:
    table = sa.Table(
        "answer_files",
        metadata,
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("student_exam_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Uuid, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        _created_at(),
        # When its bytes were last tried to be removed; no answer may name it then.
        sa.Column("going_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("student_id", "id", name="answer_files_pkey"),
        sa.ForeignKeyConstraint(
            ["student_id", "student_exam_id"],
            ["student_exams.student_id", "student_exams.id"],
            name="answer_files_student_exam_fkey",
        ),
        sa.CheckConstraint("size_bytes > 0", name="answer_files_size_bytes_check"),
    )
    sa.Index("answer_files_question_idx", table.c.student_id, table.c.student_exam_id, table.c.question_id)
    sa.Index("answer_files_id_idx", table.c.id)
    return table


def _question_files(metadata: sa.MetaData) -> sa.Table:
    """Those that no question ever named are removed after a while."""
    return sa.Table(
        "question_files",
        metadata,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        _created_at(),
        # When a question named it first; versions are for good, and so is the file then.
        sa.Column("named_at", sa.DateTime(timezone=True)),
        sa.Column("going_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="question_files_pkey"),
        sa.CheckConstraint("size_bytes > 0", name="question_files_size_bytes_check"),
    )


def _created_at() -> "sa.Column[object]":
    return sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
