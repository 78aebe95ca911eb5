"""Incidents: who they concern, and for whom they are done. What is not done yet has no outcome."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.incident import What
from exam_service.repository.attempts import AttemptKey
from exam_service.tables import incidents

# The attempts come by the index on (exam_id, id), and are few beside the answers: those are looked at last.
_CONCERNED = sa.text(
    """
    SELECT attempt.student_id, attempt.id, attempt.status, attempt.deadline, attempt.last_activity
    FROM student_exams AS attempt
    WHERE attempt.exam_id = :exam_id AND attempt.status = :status
          AND (attempt.status = 'paused' OR attempt.deadline >= now())
          AND (CAST(:students AS uuid[]) IS NULL OR attempt.student_id = ANY (CAST(:students AS uuid[])))
          AND (CAST(:silent_from AS timestamptz) IS NULL OR (
               attempt.started_at <= :silent_from
               AND attempt.last_activity NOT BETWEEN :silent_from AND :silent_to
               AND NOT EXISTS (SELECT FROM student_answers AS kept
                               WHERE kept.student_id = attempt.student_id
                                     AND kept.student_exam_id = attempt.id
                                     AND kept.saved_at BETWEEN :silent_from AND :silent_to)))
    ORDER BY attempt.id
    """
)
_INSERT_ATTEMPTS = sa.text(
    """
    INSERT INTO incident_attempts (student_id, student_exam_id, incident_id)
    SELECT student_id, id, :incident_id
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS concerned (student_id, id)
    """
)
_NEXT = sa.text(
    """
    SELECT student_id, student_exam_id FROM incident_attempts
    WHERE incident_id = :incident_id AND outcome IS NULL ORDER BY student_exam_id LIMIT :most
    """
)
_SET_OUTCOMES = sa.text(
    """
    UPDATE incident_attempts AS concerned SET outcome = given.outcome, done_at = now()
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[]), CAST(:outcomes AS text[]))
         AS given (student_id, id, outcome)
    WHERE concerned.student_id = given.student_id AND concerned.student_exam_id = given.id
          AND concerned.incident_id = :incident_id
    """
)
_DONE = sa.text(
    """
    SELECT student_id, student_exam_id FROM incident_attempts
    WHERE incident_id = :incident_id AND outcome = 'done' ORDER BY student_exam_id
    """
)
_LISTED = """
    SELECT incident.*, undoing.id AS undone_by,
           (SELECT count(*) FROM incident_attempts AS one WHERE one.incident_id = incident.id) AS total,
           (SELECT count(*) FROM incident_attempts AS one
            WHERE one.incident_id = incident.id AND one.outcome = 'done') AS done,
           (SELECT count(*) FROM incident_attempts AS one
            WHERE one.incident_id = incident.id AND one.outcome = 'skipped') AS skipped
    FROM incidents AS incident LEFT JOIN incidents AS undoing ON undoing.undo_of = incident.id
"""
_OF_EXAM = sa.text(_LISTED + " WHERE incident.exam_id = :exam_id ORDER BY incident.id DESC")
_GET = sa.text(_LISTED + " WHERE incident.id = :id")
_UNFINISHED = sa.text(
    "SELECT id FROM incidents WHERE finished_at IS NULL AND created_at < now() - interval '5 seconds'"
    " ORDER BY id"
)
_FINISH = sa.text("UPDATE incidents SET finished_at = now() WHERE id = :id AND finished_at IS NULL")


@dataclass(frozen=True, slots=True)
class Concerned:
    """An attempt that an incident is to reach."""

    student_id: UUID
    id: UUID
    status: str
    deadline: datetime
    last_activity: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """`total` attempts are concerned; `done` and `skipped` ones are over with. `scope` as it was asked."""

    id: UUID
    exam_id: UUID
    what: What
    minutes: int | None
    scope: Any
    reason: str
    actor_kind: str
    actor_id: str | None
    created_at: datetime
    finished_at: datetime | None
    undo_of: UUID | None
    undone_by: UUID | None
    total: int
    done: int
    skipped: int


async def concerned(
    conn: AsyncConnection,
    exam_id: UUID,
    status: str,
    students: Collection[UUID] | None,
    silent: tuple[datetime, datetime] | None,
) -> list[Concerned]:
    """Open attempts at the exam in this status and within the scope, by id."""
    values = {
        "exam_id": exam_id,
        "status": status,
        "students": None if students is None else list(students),
        "silent_from": silent[0] if silent else None,
        "silent_to": silent[1] if silent else None,
    }
    return [Concerned(*row) for row in await conn.execute(_CONCERNED, values)]


async def insert(conn: AsyncConnection, values: dict[str, Any], attempts: Sequence[AttemptKey]) -> None:
    """A new incident and whom it concerns."""
    await conn.execute(incidents.insert().values(**values))
    given = {"students": [student for student, _ in attempts], "ids": [one for _, one in attempts]}
    await conn.execute(_INSERT_ATTEMPTS, given | {"incident_id": values["id"]})


async def following(conn: AsyncConnection, incident_id: UUID, limit: int) -> list[AttemptKey]:
    """The next attempts for which nothing was done yet, by id."""
    rows = await conn.execute(_NEXT, {"incident_id": incident_id, "most": limit})
    return [(row.student_id, row.student_exam_id) for row in rows]


async def set_outcomes(
    conn: AsyncConnection, incident_id: UUID, outcomes: Sequence[tuple[AttemptKey, str]]
) -> None:
    """`done`, or `skipped` where the attempt's status did not allow it any more."""
    given = {
        "incident_id": incident_id,
        "students": [student for (student, _), _ in outcomes],
        "ids": [one for (_, one), _ in outcomes],
        "outcomes": [outcome for _, outcome in outcomes],
    }
    await conn.execute(_SET_OUTCOMES, given)


async def done(conn: AsyncConnection, incident_id: UUID) -> list[AttemptKey]:
    """The attempts for which it was done, by id."""
    rows = await conn.execute(_DONE, {"incident_id": incident_id})
    return [(row.student_id, row.student_exam_id) for row in rows]


async def finish(conn: AsyncConnection, incident_id: UUID) -> bool:
    """Whether it was not finished before."""
    return (await conn.execute(_FINISH, {"id": incident_id})).rowcount > 0


async def get(conn: AsyncConnection, incident_id: UUID) -> Incident | None:
    row = (await conn.execute(_GET, {"id": incident_id})).one_or_none()
    return None if row is None else _incident(row)


async def of_exam(conn: AsyncConnection, exam_id: UUID) -> list[Incident]:
    """The newest first."""
    return [_incident(row) for row in await conn.execute(_OF_EXAM, {"exam_id": exam_id})]


async def unfinished(conn: AsyncConnection) -> list[UUID]:
    """Incidents that began a while ago and are not done for everybody."""
    return list(await conn.scalars(_UNFINISHED))


def _incident(row: Any) -> Incident:
    given = row._mapping
    names = Incident.__dataclass_fields__
    return Incident(**{name: given[name] for name in names if name != "what"}, what=What(row.action))
