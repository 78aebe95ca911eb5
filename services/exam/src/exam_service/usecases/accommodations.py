"""Granting students extra time, attempts or another window; in force at once, in attempts under way too."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import AppError, FieldError, not_found
from examkit.ids import uuid7

from exam_service import errors
from exam_service.domain.attempt import Attempt
from exam_service.domain.deadline import MAX_EXTRA_TIME_PERCENT, Accommodation, Deadline
from exam_service.domain.exam import EARLIEST, LATEST
from exam_service.repository import accommodations as repository
from exam_service.repository import attempts, exams
from exam_service.repository.accommodations import AccommodationRow
from exam_service.usecases.actor import Actor
from exam_service.usecases.deadlines import recompute_student
from exam_service.usecases.exam_events import publish_exam_changed, read_last_possible_ends

MAX_EXTRA_ATTEMPTS = 10

_Ends = Mapping[UUID, datetime | None]
"""Until when exams may be sat, by exam."""


async def get_accommodation(db: Database, student_id: UUID, exam_id: UUID | None) -> AccommodationRow:
    """The person's own (`exam_id` None), or that for one exam. Raises not_found where none is set."""
    async with db.reading() as conn:
        found = await repository.get(conn, student_id, exam_id)
    if found is None:
        raise _none_set()
    return found


async def put_accommodation(
    db: Database, actor: Actor, student_id: UUID, exam_id: UUID | None, granted: Accommodation
) -> AccommodationRow:
    """Set it. Raises invalid, not_found for the exam."""
    wrong = list(problems(granted))
    if wrong:
        raise errors.invalid_fields(wrong)

    @retry_deadlocks
    async def run() -> AccommodationRow:
        async with db.transaction() as tx:
            before, ends = await _lock(tx, student_id, exam_id, granted)
            after = await repository.put(tx.conn, uuid7(), student_id, exam_id, granted)
            await _apply(tx, actor, "accommodation.set", ends, before, after)
            return after

    return await run()


async def delete_accommodation(db: Database, actor: Actor, student_id: UUID, exam_id: UUID | None) -> None:
    """Take it back. Raises not_found where none is set."""

    @retry_deadlocks
    async def run() -> None:
        async with db.transaction() as tx:
            before, ends = await _lock(tx, student_id, exam_id, None)
            if before is None:
                raise _none_set()
            await repository.delete(tx.conn, student_id, exam_id)
            await _apply(tx, actor, "accommodation.deleted", ends, before, None)

    await run()


def problems(granted: Accommodation) -> Iterator[FieldError]:
    """Everything that is wrong with an accommodation, located by field."""
    if not 0 <= granted.extra_time_percent <= MAX_EXTRA_TIME_PERCENT:
        yield FieldError(
            ("extra_time_percent",), f"must be a whole number from 0 to {MAX_EXTRA_TIME_PERCENT}"
        )
    if not 0 <= granted.extra_attempts <= MAX_EXTRA_ATTEMPTS:
        yield FieldError(("extra_attempts",), f"must be a whole number from 0 to {MAX_EXTRA_ATTEMPTS}")
    for name, moment in (("start_time", granted.start_time), ("end_time", granted.end_time)):
        if moment is not None and not EARLIEST <= moment < LATEST:
            yield FieldError((name,), "must lie between the years 1970 and 3000")
    if granted.start_time and granted.end_time and granted.end_time <= granted.start_time:
        yield FieldError(("end_time",), "must be after start_time")


async def _lock(
    tx: Tx, student_id: UUID, exam_id: UUID | None, granted: Accommodation | None
) -> tuple[AccommodationRow | None, _Ends]:
    """Hold off the student's starts, then lock the exams concerned; attempts come after them.

    What is set now, and until when the exams may be sat with it.
    """
    await attempts.change_alone(tx.conn, "student", student_id)
    before = await repository.get(tx.conn, student_id, exam_id)
    if exam_id is not None:
        if await exams.get_exam(tx.conn, exam_id, lock="update") is None:
            raise errors.no_such_exam()
        concerned = [exam_id]
    else:
        both = (None if before is None else before.granted, granted)
        own_ends = [one.end_time for one in both if one is not None and one.end_time is not None]
        concerned = await repository.lock_exams_concerned(tx.conn, student_id, own_ends)
    return before, await read_last_possible_ends(tx.conn, concerned)


async def _apply(
    tx: Tx,
    actor: Actor,
    action: str,
    ends: _Ends,
    before: AccommodationRow | None,
    after: AccommodationRow | None,
) -> None:
    """Move the deadlines under way, write the audit, and tell those who must know until when exams run."""
    row = after or before
    if row is None:
        return
    moved = await recompute_student(tx, row.student_id, row.exam_id)
    entry = actor.did(
        action,
        "accommodation",
        f"{row.student_id}/{row.exam_id or 'all'}",
        before=_auditable(before),
        after=_auditable(after, moved),
    )
    await tx.audit(entry)
    ends_now = await read_last_possible_ends(tx.conn, ends.keys())
    for exam_id, end in ends.items():
        if ends_now[exam_id] != end:
            await publish_exam_changed(tx, exam_id)


def _auditable(
    row: AccommodationRow | None, moved: list[tuple[Attempt, Deadline]] | None = None
) -> dict[str, Any] | None:
    told: dict[str, Any] = {}
    if row is not None:
        told = {
            "extra_time_percent": row.granted.extra_time_percent,
            "extra_attempts": row.granted.extra_attempts,
            "start_time": _written(row.granted.start_time),
            "end_time": _written(row.granted.end_time),
        }
    if moved:
        told["deadlines"] = [
            {"student_exam_id": str(attempt.id), "from": _written(attempt.deadline), "to": _written(now.at)}
            for attempt, now in moved
        ]
    return told or None


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _none_set() -> AppError:
    return not_found("No accommodation is set.")
