"""Files: whose they are and what names them. Their bytes lie in the file store."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.file import StoredFile, answer_path, question_path
from exam_service.tables import answer_files, question_files

Claim = tuple[UUID, UUID, UUID, UUID]
"""(student, attempt, question, file)"""

_OWNED = sa.text(
    """
    SELECT kept.student_id, kept.student_exam_id, kept.question_id, kept.id
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[]), CAST(:questions AS uuid[]),
                CAST(:files AS uuid[])) AS claimed (student_id, attempt_id, question_id, file_id)
         JOIN answer_files AS kept ON kept.student_id = claimed.student_id AND kept.id = claimed.file_id
              AND kept.student_exam_id = claimed.attempt_id AND kept.question_id = claimed.question_id
    WHERE kept.going_at IS NULL
    """
)
# Not of attempts that are open, or were a moment ago: an answer may come to name them yet. Nor what a
# reopened attempt had closed with: that is kept.
_GOING_ANSWERS = sa.text(
    """
    UPDATE answer_files SET going_at = now() WHERE (student_id, id) IN (
        SELECT file.student_id, file.id
        FROM answer_files AS file
             JOIN student_exams AS attempt
                  ON attempt.student_id = file.student_id AND attempt.id = file.student_exam_id
        WHERE file.created_at < now() - CAST(:kept AS interval)
              AND (file.going_at IS NULL OR file.going_at < now() - CAST(:retry AS interval))
              AND attempt.closed_at < now() - CAST(:kept AS interval)
              AND NOT EXISTS (
                  SELECT FROM student_answers AS answer
                  WHERE answer.student_id = file.student_id
                        AND answer.student_exam_id = file.student_exam_id
                        AND answer.question_id = file.question_id
                        AND answer.answer = to_jsonb(CAST(file.id AS text)))
              AND NOT EXISTS (
                  SELECT FROM attempt_history AS done
                  WHERE done.student_id = file.student_id AND done.student_exam_id = file.student_exam_id
                        AND done.answers @> jsonb_build_array(jsonb_build_object('answer', file.id)))
        LIMIT :most FOR UPDATE OF file SKIP LOCKED)
    RETURNING student_id, id
    """
)
_GOING_QUESTIONS = sa.text(
    """
    UPDATE question_files SET going_at = now() WHERE id IN (
        SELECT file.id FROM question_files AS file
        WHERE file.named_at IS NULL AND file.created_at < now() - CAST(:kept AS interval)
              AND (file.going_at IS NULL OR file.going_at < now() - CAST(:retry AS interval))
        LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING id
    """
)

_STAYS = question_files.c.going_at.is_(None)


async def insert_answer_file(
    conn: AsyncConnection, claim: Claim, media_type: str, size_bytes: int
) -> StoredFile:
    student_id, attempt_id, question_id, file_id = claim
    row = {
        "student_id": student_id,
        "id": file_id,
        "student_exam_id": attempt_id,
        "question_id": question_id,
        "media_type": media_type,
        "size_bytes": size_bytes,
    }
    await conn.execute(answer_files.insert().values(row))
    return StoredFile(file_id, media_type, answer_path(student_id, file_id))


async def delete_answer_file(conn: AsyncConnection, student_id: UUID, file_id: UUID) -> None:
    own = (answer_files.c.student_id == student_id) & (answer_files.c.id == file_id)
    await conn.execute(answer_files.delete().where(own))


async def count_answer_files(
    conn: AsyncConnection, student_id: UUID, attempt_id: UUID, question_id: UUID
) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(answer_files)
        .where(
            answer_files.c.student_id == student_id,
            answer_files.c.student_exam_id == attempt_id,
            answer_files.c.question_id == question_id,
        )
    )
    return (await conn.execute(query)).scalar_one()


async def owned(conn: AsyncConnection, claims: Collection[Claim]) -> set[Claim]:
    """Those of the claims that are true: the file is of this student, attempt and question."""
    students, attempts, questions, files = zip(*claims, strict=True)
    values = {
        "students": list(students),
        "attempts": list(attempts),
        "questions": list(questions),
        "files": list(files),
    }
    return {tuple(row) for row in await conn.execute(_OWNED, values)}


async def get_answer_file(conn: AsyncConnection, file_id: UUID, student_id: UUID | None) -> StoredFile | None:
    """`student_id`: only where it is this student's; None: whosever it is."""
    query = sa.select(answer_files.c.student_id, answer_files.c.media_type).where(
        answer_files.c.id == file_id
    )
    if student_id is not None:
        query = query.where(answer_files.c.student_id == student_id)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else StoredFile(file_id, row.media_type, answer_path(row.student_id, file_id))


async def insert_question_file(
    conn: AsyncConnection, file_id: UUID, media_type: str, size_bytes: int
) -> StoredFile:
    row = {"id": file_id, "media_type": media_type, "size_bytes": size_bytes}
    await conn.execute(question_files.insert().values(row))
    return StoredFile(file_id, media_type, question_path(file_id))


async def get_question_file(conn: AsyncConnection, file_id: UUID) -> StoredFile | None:
    query = sa.select(question_files.c.media_type).where(question_files.c.id == file_id)
    media_type = await conn.scalar(query)
    return None if media_type is None else StoredFile(file_id, media_type, question_path(file_id))


async def known_question_files(
    conn: AsyncConnection, file_ids: Collection[UUID], *, naming: bool
) -> set[UUID]:
    """Those of these that were uploaded. `naming`: a question names them from now on, so that they stay."""
    if not file_ids:
        return set()
    if not naming:
        found = sa.select(question_files.c.id).where(question_files.c.id.in_(file_ids), _STAYS)
        return set(await conn.scalars(found))
    named = (
        sa.update(question_files)
        .where(question_files.c.id == sa.any_(sa.cast(list(file_ids), pg.ARRAY(sa.Uuid))), _STAYS)
        .values(named_at=sa.func.coalesce(question_files.c.named_at, sa.func.now()))
        .returning(question_files.c.id)
    )
    return set(await conn.scalars(named))


async def exams_of(conn: AsyncConnection, student_id: UUID) -> list[UUID]:
    """The exams that the student sits or sat."""
    query = sa.text("SELECT DISTINCT exam_id FROM student_exams WHERE student_id = :student_id")
    return list(await conn.scalars(query, {"student_id": student_id}))


@dataclass(frozen=True, slots=True)
class Going:
    """A file to be removed. `student_id`: of an answer's."""

    id: UUID
    student_id: UUID | None = None

    @property
    def path(self) -> str:
        return question_path(self.id) if self.student_id is None else answer_path(self.student_id, self.id)


async def mark_going(conn: AsyncConnection, kept: timedelta, retry: timedelta, most: int) -> list[Going]:
    """Files that nothing names, at most so many of each kind: nothing can name them from the commit on.

    Those marked before, less than `retry` ago, are left out: somebody is at it, or it failed.
    """
    values: dict[str, Any] = {"kept": kept, "retry": retry, "most": most}
    answers = [Going(row.id, row.student_id) for row in await conn.execute(_GOING_ANSWERS, values)]
    return answers + [Going(row.id) for row in await conn.execute(_GOING_QUESTIONS, values)]


async def remove(conn: AsyncConnection, gone: Collection[Going]) -> None:
    """The rows of files whose bytes are gone."""
    answers = [(file.student_id, file.id) for file in gone if file.student_id is not None]
    questions = [file.id for file in gone if file.student_id is None]
    key = sa.tuple_(answer_files.c.student_id, answer_files.c.id)
    await conn.execute(answer_files.delete().where(key.in_(answers)))
    await conn.execute(question_files.delete().where(question_files.c.id.in_(questions)))
