"""Which exams have attempts whose deadlines are behind a changed window."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.tables import exams

_BEHIND = sa.text(
    "SELECT id FROM exams WHERE deadlines_due < clock_timestamp() - make_interval(secs => :age)"
    " ORDER BY deadlines_due"
)


async def set_due(conn: AsyncConnection, exam_id: UUID) -> None:
    """From now on. The caller holds the exam's lock."""
    now = sa.func.clock_timestamp()
    await conn.execute(exams.update().where(exams.c.id == exam_id).values(deadlines_due=now))


async def due_since(conn: AsyncConnection, exam_id: UUID) -> datetime | None:
    moment: datetime | None = await conn.scalar(sa.select(exams.c.deadlines_due).where(exams.c.id == exam_id))
    return moment


async def set_done(conn: AsyncConnection, exam_id: UUID, since: datetime) -> bool:
    """False where the window has changed once more meanwhile, or another was first; locks the exam."""
    done = (
        exams.update().where(exams.c.id == exam_id, exams.c.deadlines_due == since).values(deadlines_due=None)
    )
    return (await conn.execute(done)).rowcount == 1


async def behind(conn: AsyncConnection, age: float) -> list[UUID]:
    """Those that have been due for more than `age` seconds, the oldest first."""
    return list(await conn.scalars(_BEHIND, {"age": age}))
