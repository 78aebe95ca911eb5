"""Which attempts were reopened or declared void, and so have no grade that counts until they close again.

A withdrawal and a first grade of the same attempt have no row in common that both could lock, so they take
turns: who grades shares a lock, who withdraws has it alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.tables import grades

Attempt = tuple[UUID, UUID]
"""Student and attempt."""

_SHARE = sa.text("SELECT pg_advisory_xact_lock_shared(hashtextextended('withdrawals', 0))")
_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('withdrawals', 0))")
_PUT = sa.text(
    """
    INSERT INTO withdrawals AS known
        (student_id, student_exam_id, exam_id, attempt_version, cause, withdrawn_at)
    SELECT student_id, attempt_id, exam_id, version, cause, :now
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[]), CAST(:exams AS uuid[]),
                CAST(:versions AS bigint[]), CAST(:causes AS text[]))
         AS given (student_id, attempt_id, exam_id, version, cause)
    ORDER BY student_id, attempt_id
    ON CONFLICT (student_id, student_exam_id) DO UPDATE
    SET attempt_version = excluded.attempt_version, cause = excluded.cause,
        withdrawn_at = excluded.withdrawn_at
    WHERE known.attempt_version < excluded.attempt_version
    """
)
_WITHDRAW = sa.text(
    """
    WITH older AS MATERIALIZED (
        SELECT grades.student_id, grades.student_exam_id
        FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[]), CAST(:versions AS bigint[]))
             AS given (student_id, attempt_id, version)
             JOIN grades ON grades.student_id = given.student_id
                  AND grades.student_exam_id = given.attempt_id AND grades.attempt_version < given.version
        ORDER BY grades.student_id, grades.student_exam_id FOR UPDATE OF grades
    )
    UPDATE grades SET withdrawn = true FROM older
    WHERE grades.student_id = older.student_id AND grades.student_exam_id = older.student_exam_id
          AND NOT grades.withdrawn
    RETURNING grades.student_exam_id
    """
)
_VERSIONS = sa.text(
    """
    SELECT withdrawals.student_id, withdrawals.student_exam_id, withdrawals.attempt_version
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[])) AS wanted (student_id, attempt_id)
         JOIN withdrawals ON withdrawals.student_id = wanted.student_id
              AND withdrawals.student_exam_id = wanted.attempt_id
    """
)


@dataclass(frozen=True)
class Withdrawal:
    """`cause`: reopened or void. `attempt_version`: grades of earlier versions don't count any more."""

    student_id: UUID
    student_exam_id: UUID
    exam_id: UUID
    attempt_version: int
    cause: str

    @property
    def attempt(self) -> Attempt:
        return self.student_id, self.student_exam_id


async def take_turns(conn: AsyncConnection, *, withdrawing: bool) -> None:
    """Until the commit no grade is withdrawn by another; for who withdraws, none is written either."""
    await conn.execute(_ALONE if withdrawing else _SHARE)


async def put(conn: AsyncConnection, withdrawals: Sequence[Withdrawal], now: datetime) -> int:
    """Remember these, one an attempt, where they are newer; how many grades were withdrawn by it."""
    given = {
        "students": [one.student_id for one in withdrawals],
        "attempts": [one.student_exam_id for one in withdrawals],
        "exams": [one.exam_id for one in withdrawals],
        "versions": [one.attempt_version for one in withdrawals],
        "causes": [one.cause for one in withdrawals],
        "now": now,
    }
    await conn.execute(_PUT, given)
    return len((await conn.execute(_WITHDRAW, given)).all())


async def versions(conn: AsyncConnection, attempts: Collection[Attempt]) -> dict[Attempt, int]:
    """Up to which version the grades of these attempts were withdrawn; without those that never were."""
    keys = {"students": [one for one, _ in attempts], "attempts": [one for _, one in attempts]}
    return {(row[0], row[1]): row[2] for row in await conn.execute(_VERSIONS, keys)}


def counts(table: sa.Table) -> sa.ColumnElement[bool]:
    """A condition on a table that has the attempt's key: its grade was not withdrawn."""
    if table is grades:
        return ~grades.c.withdrawn
    return ~sa.exists().where(
        grades.c.student_id == table.c.student_id,
        grades.c.student_exam_id == table.c.student_exam_id,
        grades.c.withdrawn,
    )
