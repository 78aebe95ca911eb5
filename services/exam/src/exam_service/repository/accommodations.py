"""Accommodations: what students are granted, for one exam or for all."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.deadline import MAX_EXTRA_TIME_PERCENT, Accommodation, effective
from exam_service.tables import accommodations, exams, roster_students, student_exams

_MINUTE = sa.text("interval '1 minute'")
_SECOND = sa.text("interval '1 second'")

# Plain SQL, since it runs with starts.
_EFFECTIVE = sa.text(
    """
    SELECT granted.student_id, granted.exam_id, extra_time_percent, extra_attempts, start_time, end_time,
           updated_at, asked.exam_id AS asked_for
    FROM unnest(CAST(:students AS uuid[]), CAST(:exams AS uuid[])) AS asked (student_id, exam_id)
         JOIN accommodations AS granted ON granted.student_id = asked.student_id
              AND (granted.exam_id IS NULL OR granted.exam_id = asked.exam_id)
    """
)
_WITH_OWN_WINDOW = sa.text(
    """
    SELECT DISTINCT granted.student_id
    FROM exams JOIN accommodations AS granted ON granted.exam_id = exams.id OR granted.exam_id IS NULL
    WHERE exams.id = :exam_id AND (granted.start_time IS NOT NULL OR granted.end_time IS NOT NULL)
          AND (exams.roster_all OR cardinality(exams.roster_groups) > 0
               OR EXISTS (SELECT FROM roster_students AS listed
                          WHERE listed.student_id = granted.student_id AND listed.exam_id = exams.id))
    ORDER BY granted.student_id
    """
)


@dataclass(frozen=True, slots=True)
class AccommodationRow:
    """`exam_id` None: the person's own, for all exams."""

    student_id: UUID
    exam_id: UUID | None
    granted: Accommodation
    updated_at: datetime


async def get(conn: AsyncConnection, student_id: UUID, exam_id: UUID | None) -> AccommodationRow | None:
    query = sa.select(accommodations).where(accommodations.c.student_id == student_id, _is_for(exam_id))
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _row(row)


async def put(
    conn: AsyncConnection, new_id: UUID, student_id: UUID, exam_id: UUID | None, granted: Accommodation
) -> AccommodationRow:
    """Set it, whether or not there was one."""
    values = {
        "extra_time_percent": granted.extra_time_percent,
        "extra_attempts": granted.extra_attempts,
        "start_time": granted.start_time,
        "end_time": granted.end_time,
        "updated_at": sa.func.now(),
    }
    statement = (
        pg.insert(accommodations)
        .values(student_id=student_id, id=new_id, exam_id=exam_id, **values)
        .on_conflict_do_update(constraint="accommodations_student_id_exam_id_key", set_=values)
        .returning(accommodations)
    )
    return _row((await conn.execute(statement)).one())


async def delete(conn: AsyncConnection, student_id: UUID, exam_id: UUID | None) -> AccommodationRow | None:
    """What was deleted; None where there was none."""
    statement = (
        accommodations.delete()
        .where(accommodations.c.student_id == student_id, _is_for(exam_id))
        .returning(accommodations)
    )
    row = (await conn.execute(statement)).one_or_none()
    return None if row is None else _row(row)


async def effective_of(
    conn: AsyncConnection, sitting: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], Accommodation]:
    """What holds for each of these (student, exam)."""
    given = {"students": [student for student, _ in sitting], "exams": [exam for _, exam in sitting]}
    own: dict[tuple[UUID, UUID], Accommodation] = {}
    for_exam: dict[tuple[UUID, UUID], Accommodation] = {}
    for row in await conn.execute(_EFFECTIVE, given):
        (own if row.exam_id is None else for_exam)[row.student_id, row.asked_for] = _row(row).granted
    return {key: effective(own.get(key), for_exam.get(key)) for key in sitting}


async def effective_for(
    conn: AsyncConnection, student_ids: Collection[UUID], exam_id: UUID
) -> dict[UUID, Accommodation]:
    """What holds for each of these students at this exam."""
    found = await effective_of(conn, [(student, exam_id) for student in student_ids])
    return {student: accommodation for (student, _), accommodation in found.items()}


async def with_own_window(conn: AsyncConnection, exam_id: UUID) -> list[UUID]:
    """Students with a window of their own who may be on the roster (only tokens tell who is in a group)."""
    return list(await conn.scalars(_WITH_OWN_WINDOW, {"exam_id": exam_id}))


async def lock_exams_concerned(
    conn: AsyncConnection, student_id: UUID, own_ends: Collection[datetime]
) -> list[UUID]:
    """The exams whose last possible end a person's own accommodation may move, locked in id order.

    Those that the student sits now, and those that the student may be on the roster of (who belongs to a
    group only tokens tell) and that anybody may still come to sit: an exam without an end stays so, and one
    that is over for good is left alone. `own_ends`: the ends that the accommodation gave and will give,
    up to which every exam is open for the student.
    """
    named = sa.exists().where(
        roster_students.c.student_id == student_id, roster_students.c.exam_id == exams.c.id
    )
    sitting = sa.exists().where(
        student_exams.c.student_id == student_id,
        student_exams.c.exam_id == exams.c.id,
        student_exams.c.status.in_(("in_progress", "paused")),
    )
    longest = MAX_EXTRA_TIME_PERCENT / 100 * exams.c.duration_minutes * _MINUTE
    last_ends = [
        exams.c.end_time + longest + exams.c.grace_seconds * _SECOND,
        *(own_end + exams.c.grace_seconds * _SECOND for own_end in own_ends),
    ]
    may_sit = sa.and_(
        # One that is being published is soon open, with the end that was read a moment ago.
        exams.c.status.in_(("publishing", "published")),
        exams.c.end_time.is_not(None),
        sa.or_(*(end > sa.func.now() for end in last_ends)),
        sa.or_(exams.c.roster_all, sa.func.cardinality(exams.c.roster_groups) > 0, named),
    )
    query = sa.select(exams.c.id).where(sa.or_(may_sit, sitting)).order_by(exams.c.id).with_for_update()
    return list(await conn.scalars(query))


def _is_for(exam_id: UUID | None) -> sa.ColumnElement[bool]:
    return accommodations.c.exam_id.is_not_distinct_from(exam_id)


def _row(row: Any) -> AccommodationRow:
    granted = Accommodation(
        extra_time_percent=row.extra_time_percent,
        extra_attempts=row.extra_attempts,
        start_time=row.start_time,
        end_time=row.end_time,
        per_exam=row.exam_id is not None,
    )
    return AccommodationRow(row.student_id, row.exam_id, granted, row.updated_at)
