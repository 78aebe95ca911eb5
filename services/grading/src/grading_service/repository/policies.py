"""What grading knows of exams beside their papers, in Postgres."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.release import ExamPolicy, Reveal
from grading_service.tables import exam_policies


async def put(conn: AsyncConnection, exam_id: UUID, version: int, policy: ExamPolicy) -> bool:
    """Take in what the exam is at `version`, unless a later one is known; a release stays. True if taken."""
    values = {
        "version": version,
        "title": policy.title,
        "result_policy": policy.result_policy,
        "reveal": policy.reveal.value,
        "closed": policy.closed,
        "end_time": policy.end_time,
        "last_possible_end": policy.last_possible_end,
    }
    statement = (
        insert(exam_policies)
        .values(exam_id=exam_id, **values)
        .on_conflict_do_update(
            index_elements=[exam_policies.c.exam_id],
            set_=values,
            # Version 0 comes with the freezing, which may be repeated before the first event.
            where=sa.or_(exam_policies.c.version < version, exam_policies.c.version == 0),
        )
        .returning(exam_policies.c.exam_id)
    )
    return (await conn.execute(statement)).first() is not None


async def by_exam(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, ExamPolicy]:
    query = sa.select(exam_policies).where(exam_policies.c.exam_id.in_(list(exam_ids)))
    return {row.exam_id: policy_of(row) for row in (await conn.execute(query)).all()}


def policy_of(row: sa.Row[Any]) -> ExamPolicy:
    """A row with the columns of `exam_policies`."""
    return ExamPolicy(
        title=row.title,
        result_policy=row.result_policy,
        reveal=Reveal(row.reveal),
        closed=row.closed,
        end_time=row.end_time,
        last_possible_end=row.last_possible_end,
        released_at=row.released_at,
    )


async def release(conn: AsyncConnection, exam_id: UUID, now: datetime) -> tuple[datetime, bool] | None:
    """Mark as released: the moment, and whether it is new. None for an unknown exam."""
    query = sa.select(exam_policies.c.released_at).where(exam_policies.c.exam_id == exam_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        return None
    if row.released_at is not None:
        return row.released_at, False
    await conn.execute(
        exam_policies.update().where(exam_policies.c.exam_id == exam_id).values(released_at=now)
    )
    return now, True
