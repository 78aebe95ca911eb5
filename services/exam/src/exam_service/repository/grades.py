"""Which closed attempts have a grade, as far as exam knows, and when to ask again for the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt
from exam_service.repository.attempts import FIELDS, AttemptKey, attempt_of
from exam_service.tables import student_exams

_MEASURE = sa.text(
    """
    SELECT active, greatest(0, lag) AS lag, ungraded, greatest(0, oldest) AS oldest FROM
        (SELECT count(*) AS active, CAST(coalesce(extract(epoch FROM
             now() - min(deadline + make_interval(secs => grace_seconds + :late))), 0) AS float8) AS lag
         FROM student_exams WHERE status = 'in_progress') AS running,
        (SELECT count(*) AS ungraded,
             CAST(coalesce(extract(epoch FROM now() - min(closed_at)), 0) AS float8) AS oldest
         FROM student_exams WHERE announce_at IS NOT NULL AND status IN ('submitted', 'expired')) AS waiting
    """
)

# What still lies in the outbox would only be doubled.
_UNANNOUNCED = (
    "announce_at < now() AND status IN ('submitted', 'expired')"
    " AND NOT EXISTS (SELECT FROM outbox WHERE outbox.subject = CAST(student_exams.id AS text)"
    " AND outbox.type = :type)"
)
_UNANNOUNCED_IDS = sa.text(
    f"SELECT id FROM student_exams WHERE {_UNANNOUNCED} ORDER BY announce_at LIMIT :most"  # noqa: S608
)
_LOCK_UNANNOUNCED = sa.text(
    f"SELECT {', '.join(FIELDS)} FROM student_exams WHERE {_UNANNOUNCED}"  # noqa: S608 - names of ours
    " AND (CAST(:only AS uuid) IS NULL OR id = :only)"
    " ORDER BY announce_at LIMIT :most FOR NO KEY UPDATE SKIP LOCKED"
)

_ANNOUNCED = sa.text(
    """
    UPDATE student_exams AS attempt
    SET announcements = attempt.announcements + 1,
        announce_at = now() + make_interval(
            secs => least(:pause * power(2, least(attempt.announcements, 20)), :longest))
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS sent (student_id, id)
    WHERE attempt.student_id = sent.student_id AND attempt.id = sent.id
    """
)

_ANNOUNCE_NOW = sa.text(
    """
    WITH ungraded AS MATERIALIZED (
        SELECT student_id, id FROM student_exams WHERE announce_at > now() ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE student_exams AS attempt SET announce_at = now(), announcements = 1
    FROM ungraded WHERE attempt.student_id = ungraded.student_id AND attempt.id = ungraded.id
    """
)

_GRADED = sa.text(
    """
    WITH graded AS MATERIALIZED (
        SELECT attempt.student_id, attempt.id, told.version
        FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[]), CAST(:versions AS bigint[]))
             AS told (student_id, id, version)
             JOIN student_exams AS attempt ON attempt.student_id = told.student_id AND attempt.id = told.id
        ORDER BY attempt.id FOR NO KEY UPDATE OF attempt
    )
    UPDATE student_exams AS attempt
    SET graded_version = graded.version,
        announce_at = CASE WHEN attempt.version > graded.version THEN announce_at END
    FROM graded
    WHERE attempt.student_id = graded.student_id AND attempt.id = graded.id
          AND attempt.graded_version < graded.version
    """
)


@dataclass(frozen=True)
class Measured:
    """Attempts in progress; seconds by which the longest should have been closed; closed ones of which no
    grade is known, and seconds since the oldest of those closed.
    """

    active: int
    lag: float
    ungraded: int
    oldest: float


async def set_graded(conn: AsyncConnection, versions: Mapping[AttemptKey, int]) -> None:
    """Remember that these versions have a grade; where that of a newer one is known nothing changes."""
    await conn.execute(_GRADED, _columns(list(versions)) | {"versions": list(versions.values())})


async def exams_unannounced(conn: AsyncConnection) -> list[UUID]:
    """The exams of attempts that are to be announced again."""
    query = sa.select(student_exams.c.exam_id).where(student_exams.c.announce_at < sa.func.now()).distinct()
    return list(await conn.scalars(query))


async def unannounced_ids(conn: AsyncConnection, event_type: str, limit: int) -> list[UUID]:
    """The ids of what `lock_unannounced` would lock, if nobody held any of it."""
    return list(await conn.scalars(_UNANNOUNCED_IDS, {"type": event_type, "most": limit}))


async def lock_unannounced(
    conn: AsyncConnection, event_type: str, limit: int, only: UUID | None = None
) -> list[Attempt]:
    """Closed attempts that are to be announced again, those first that wait longest; locked until the commit.

    What somebody else holds is passed over, and what has an event of this type in the outbox. `only`: this
    one alone.
    """
    values = {"type": event_type, "most": limit, "only": only}
    rows = await conn.execute(_LOCK_UNANNOUNCED, values)
    return [attempt_of(row) for row in rows]


async def announced(conn: AsyncConnection, keys: Sequence[AttemptKey], pause: float, longest: float) -> None:
    """Put off the next announcement: twice as long each time, from `pause` to `longest` seconds."""
    if keys:
        await conn.execute(_ANNOUNCED, _columns(keys) | {"pause": pause, "longest": longest})


async def announce_now(conn: AsyncConnection) -> None:
    """Have every closed attempt without a grade announced again at the next look."""
    await conn.execute(_ANNOUNCE_NOW)


async def measure(conn: AsyncConnection, late_arrivals: float) -> Measured:
    """How attempts stand now, all in one query."""
    return Measured(*(await conn.execute(_MEASURE, {"late": late_arrivals})).one())


def _columns(keys: Sequence[AttemptKey]) -> dict[str, Any]:
    return {"students": [student for student, _ in keys], "ids": [attempt for _, attempt in keys]}
