"""What staff do to attempts, written: the attempts as they are then, and the history of what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from examkit.ids import uuid7
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt
from exam_service.domain.saving import StoredAnswer
from exam_service.repository.attempts import FIELDS, AttemptKey, attempt_of
from exam_service.repository.bulk import insert_records
from exam_service.tables import attempt_history

_OWNER = sa.text("SELECT student_id, exam_id FROM student_exams WHERE id = :id")
_CHANGED = {
    "status": "text",
    "version": "bigint",
    "deadline": "timestamptz",
    "deadline_version": "int",
    "deadline_reason": "text",
    "granted_minutes": "int",
    "shifted": "interval",
    "paused_at": "timestamptz",
    "closed_at": "timestamptz",
    "answers_digest": "text",
    "answer_count": "int",
}
# None of these is a closing that goes to grading: there is no grade to wait for.
_WRITE = sa.text(
    f"""
    UPDATE student_exams AS attempt
    SET {", ".join(f"{name} = given.{name}" for name in _CHANGED)},
        close_reason = CASE WHEN given.closed_at IS NOT NULL THEN coalesce(attempt.close_reason, 'void') END,
        announcements = 0, announce_at = NULL, changed_at = now()
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[]),
                {", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _CHANGED.items())})
         AS given (student_id, id, {", ".join(_CHANGED)})
    WHERE attempt.student_id = given.student_id AND attempt.id = given.id
    """  # noqa: S608 - names of ours
)
_WITHDRAWN = sa.text(
    f"""
    SELECT {", ".join(f"attempt.{name}" for name in FIELDS)} FROM student_exams AS attempt
    WHERE (CAST(:after AS uuid) IS NULL OR attempt.id > :after)
          AND (attempt.status = 'void' OR attempt.status IN ('in_progress', 'paused')
               AND EXISTS (SELECT FROM attempt_history AS done
                           WHERE done.student_id = attempt.student_id AND done.student_exam_id = attempt.id
                                 AND done.action = 'reopened'))
    ORDER BY attempt.id LIMIT :most
    """  # noqa: S608 - names of ours
)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to one attempt. `answers`: those that it had closed with, where it was reopened."""

    action: str
    before: Attempt
    after: Attempt
    at: datetime
    answers: Sequence[StoredAnswer] | None = None


async def owner(conn: AsyncConnection, attempt_id: UUID) -> tuple[UUID, UUID] | None:
    """The student and the exam of an attempt, which never change."""
    row = (await conn.execute(_OWNER, {"id": attempt_id})).one_or_none()
    return None if row is None else (row.student_id, row.exam_id)


async def withdrawn(conn: AsyncConnection, after: UUID | None, limit: int) -> list[Attempt]:
    """Attempts whose grade, if there was one, does not count: void, or open again; by id, after this one."""
    rows = await conn.execute(_WITHDRAWN, {"after": after, "most": limit})
    return [attempt_of(row) for row in rows]


async def write(conn: AsyncConnection, attempts: Sequence[Attempt]) -> None:
    """Store these attempts as they are now. The caller holds their locks."""
    if not attempts:
        return
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in attempts] for name in _CHANGED}
    columns["status"] = [one.status.value for one in attempts]
    columns["students"] = [one.student_id for one in attempts]
    columns["ids"] = [one.id for one in attempts]
    await conn.execute(_WRITE, columns)


async def insert_history(
    conn: AsyncConnection, done: Sequence[Done], *, reason: str, actor_kind: str, actor_id: str | None
) -> None:
    """For good: nobody changes these rows, not even this service."""
    rows = [
        {
            "student_id": one.after.student_id,
            "student_exam_id": one.after.id,
            "id": uuid7(),
            "at": one.at,
            "action": one.action,
            "before": as_told(one.before),
            "after": as_told(one.after),
            "answers": None if one.answers is None else _kept(one.answers),
            "reason": reason,
            "actor_kind": actor_kind,
            "actor_id": actor_id,
        }
        for one in done
    ]
    await insert_records(conn, attempt_history, rows)


async def history(conn: AsyncConnection, key: AttemptKey) -> list[Any]:
    """The rows of one attempt, the oldest first, without the answers."""
    c = attempt_history.c
    query = (
        sa.select(c.at, c.action, c.before, c.after, c.reason, c.actor_kind, c.actor_id)
        .where(c.student_id == key[0], c.student_exam_id == key[1])
        .order_by(c.at, c.id)
    )
    return list((await conn.execute(query)).all())


def as_told(attempt: Attempt) -> Mapping[str, Any]:
    """What history and audit say of an attempt: no answers."""
    return {
        "status": attempt.status.value,
        "version": attempt.version,
        "deadline": attempt.deadline.isoformat(),
        "deadline_version": attempt.deadline_version,
        "granted_minutes": attempt.granted_minutes,
        "shifted_seconds": attempt.shifted.total_seconds(),
        "closed_at": None if attempt.closed_at is None else attempt.closed_at.isoformat(),
        "answers_digest": attempt.answers_digest,
        "answer_count": attempt.answer_count,
    }


def _kept(answers: Sequence[StoredAnswer]) -> list[dict[str, Any]]:
    return [
        {
            "question_id": answer.question_id,
            "answer": answer.answer,
            "revision": answer.revision,
            "saved_at": answer.saved_at,
        }
        for answer in sorted(answers, key=lambda one: str(one.question_id))
    ]
