"""Attempts whose time is up, which the sweeper is to close. The clock is Postgres's own."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt
from exam_service.repository.attempts import FIELDS, attempt_of

_COLUMNS = ", ".join(f"attempt.{name}" for name in FIELDS)
# The first condition on the deadline is for the index.
_TIME_IS_UP = """
    attempt.status = 'in_progress' AND attempt.deadline < now()
    AND attempt.deadline + make_interval(secs => attempt.grace_seconds + :late) < now()
"""
_DUE = f"""
    {_TIME_IS_UP}
    AND attempt.exam_id <> ALL (CAST(:without_exams AS uuid[]))
    AND attempt.id <> ALL (CAST(:without AS uuid[]))
    ORDER BY attempt.deadline LIMIT :most
"""
_EXAMS = sa.text(f"SELECT DISTINCT attempt.exam_id FROM student_exams AS attempt WHERE {_TIME_IS_UP}")  # noqa: S608
_IDS = sa.text(f"SELECT attempt.id FROM student_exams AS attempt WHERE {_DUE}")  # noqa: S608 - names of ours
_LOCK = sa.text(
    f"SELECT {_COLUMNS} FROM student_exams AS attempt WHERE {_DUE} FOR NO KEY UPDATE SKIP LOCKED"  # noqa: S608
)
_LOCK_ONE = sa.text(
    f"SELECT {_COLUMNS} FROM student_exams AS attempt WHERE attempt.id = :id AND {_TIME_IS_UP}"  # noqa: S608
    " FOR NO KEY UPDATE SKIP LOCKED"
)


async def exams(conn: AsyncConnection) -> list[UUID]:
    """The exams of attempts past deadline and grace."""
    return list(await conn.scalars(_EXAMS, {"late": 0.0}))


async def ids(
    conn: AsyncConnection,
    late_arrivals: float,
    limit: int,
    *,
    without: Collection[UUID] = (),
    without_exams: Collection[UUID] = (),
) -> list[UUID]:
    """The ids of what `lock` would lock, if nobody held any of it."""
    return list(await conn.scalars(_IDS, _values(late_arrivals, limit, without, without_exams)))


async def lock(
    conn: AsyncConnection,
    late_arrivals: float,
    limit: int,
    *,
    without: Collection[UUID] = (),
    without_exams: Collection[UUID] = (),
) -> list[Attempt]:
    """Attempts in progress whose deadline, grace and `late_arrivals` (seconds) are over, longest first.

    Locked until the commit; those that somebody else holds are passed over, and so are the attempts
    `without` and those of the exams `without_exams`.
    """
    rows = await conn.execute(_LOCK, _values(late_arrivals, limit, without, without_exams))
    return [attempt_of(row) for row in rows]


async def lock_one(conn: AsyncConnection, late_arrivals: float, attempt_id: UUID) -> list[Attempt]:
    """The same for this attempt alone."""
    rows = await conn.execute(_LOCK_ONE, {"late": late_arrivals, "id": attempt_id})
    return [attempt_of(row) for row in rows]


def _values(
    late_arrivals: float, limit: int, without: Collection[UUID], without_exams: Collection[UUID]
) -> dict[str, object]:
    return {
        "late": late_arrivals,
        "most": limit,
        "without": list(without),
        "without_exams": list(without_exams),
    }
