"""What pages reported during attempts."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.integrity import IntegrityEvent
from exam_service.tables import integrity_events


async def count(conn: AsyncConnection, student_id: UUID, attempt_id: UUID) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(integrity_events)
        .where(integrity_events.c.student_id == student_id, integrity_events.c.student_exam_id == attempt_id)
    )
    return (await conn.execute(query)).scalar_one()


async def insert(
    conn: AsyncConnection, student_id: UUID, attempt_id: UUID, events: Sequence[IntegrityEvent]
) -> None:
    """Keep these events; one that was kept before (same moment, same kind) changes nothing."""
    if not events:
        return
    rows = [
        {
            "student_id": student_id,
            "student_exam_id": attempt_id,
            "kind": event.kind,
            "at": event.at,
            "detail": event.detail,
        }
        for event in events
    ]
    await conn.execute(pg.insert(integrity_events).values(rows).on_conflict_do_nothing())
