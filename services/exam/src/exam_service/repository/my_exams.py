"""The exams of one student, with what the student did about each: one query a page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import LateralFromClause, NamedFromClause

from exam_service.domain.attempt import Status
from exam_service.domain.deadline import Accommodation, Timing, effective
from exam_service.repository.exams import on_roster
from exam_service.tables import accommodations, exams, student_exams


@dataclass(frozen=True, slots=True)
class MyExam:
    """`latest_*`: of the attempt that is open, else of the latest not void. `position` sorts the list."""

    id: UUID
    title: str
    description: str
    closed: bool
    timing: Timing
    granted: Accommodation
    question_count: int
    max_possible_hundredths: int
    max_attempts: int
    attempts_used: int
    access_code_needed: bool
    latest_id: UUID | None
    latest_status: Status | None
    latest_deadline: datetime | None
    position: datetime
    now: datetime


async def list_my_exams(
    conn: AsyncConnection,
    student_id: UUID,
    groups: Collection[str],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[MyExam]:
    """Published and closed exams on whose roster the student is, or that the student sat; newest first."""
    position = sa.func.coalesce(exams.c.start_time, exams.c.published_at)
    own, for_exam = accommodations.alias("own"), accommodations.alias("for_exam")
    latest, used = _latest(student_id), _used(student_id)
    query = (
        sa.select(
            exams,
            position.label("position"),
            sa.func.clock_timestamp().label("now"),
            used.label("used"),
            latest.c.id.label("latest_id"),
            latest.c.status.label("latest_status"),
            latest.c.deadline.label("latest_deadline"),
            *_granted(own, "own"),
            *_granted(for_exam, "for_exam"),
        )
        .select_from(_with_granted(exams.outerjoin(latest, sa.true()), own, for_exam, student_id))
        .where(
            exams.c.status.in_(("published", "closed")),
            sa.or_(on_roster(student_id, groups), latest.c.id.is_not(None)),
        )
        .order_by(position.desc(), exams.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(position, exams.c.id) < sa.tuple_(*after))
    return [_my_exam(row) for row in await conn.execute(query)]


def _with_granted(
    joined: sa.Join, own: "NamedFromClause[Any]", for_exam: "NamedFromClause[Any]", student_id: UUID
) -> sa.Join:
    own_of_student = sa.and_(own.c.student_id == student_id, own.c.exam_id.is_(None))
    of_exam = sa.and_(for_exam.c.student_id == student_id, for_exam.c.exam_id == exams.c.id)
    return joined.outerjoin(own, own_of_student).outerjoin(for_exam, of_exam)


def _latest(student_id: UUID) -> "LateralFromClause":
    # One that was reopened is where the student goes on, though there are later ones.
    is_open = student_exams.c.status.in_(("in_progress", "paused"))
    return (
        sa.select(student_exams.c.id, student_exams.c.status, student_exams.c.deadline)
        .where(_sat_by(student_id))
        .order_by(is_open.desc(), student_exams.c.attempt_no.desc())
        .limit(1)
        .lateral("latest")
    )


def _used(student_id: UUID) -> "sa.ScalarSelect[int]":
    return sa.select(sa.func.count()).select_from(student_exams).where(_sat_by(student_id)).scalar_subquery()


def _sat_by(student_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(
        student_exams.c.student_id == student_id,
        student_exams.c.exam_id == exams.c.id,
        student_exams.c.status != "void",
    )


def _granted(table: "NamedFromClause[Any]", prefix: str) -> "list[sa.Label[Any]]":
    names = ("extra_time_percent", "extra_attempts", "start_time", "end_time")
    return [table.c[name].label(f"{prefix}_{name}") for name in names]


def _accommodation(row: Any, prefix: str, *, per_exam: bool) -> Accommodation | None:
    percent = getattr(row, f"{prefix}_extra_time_percent")
    if percent is None:
        return None
    return Accommodation(
        extra_time_percent=percent,
        extra_attempts=getattr(row, f"{prefix}_extra_attempts"),
        start_time=getattr(row, f"{prefix}_start_time"),
        end_time=getattr(row, f"{prefix}_end_time"),
        per_exam=per_exam,
    )


def _my_exam(row: Any) -> MyExam:
    own = _accommodation(row, "own", per_exam=False)
    for_exam = _accommodation(row, "for_exam", per_exam=True)
    return MyExam(
        id=row.id,
        title=row.title,
        description=row.description,
        closed=row.status == "closed",
        timing=Timing(row.duration_minutes, row.start_time, row.end_time),
        granted=effective(own, for_exam),
        question_count=row.question_count,
        max_possible_hundredths=row.max_possible_hundredths,
        max_attempts=row.max_attempts,
        attempts_used=row.used,
        access_code_needed=bool(row.access_code),
        latest_id=row.latest_id,
        latest_status=None if row.latest_status is None else Status(row.latest_status),
        latest_deadline=row.latest_deadline,
        position=row.position,
        now=row.now,
    )
