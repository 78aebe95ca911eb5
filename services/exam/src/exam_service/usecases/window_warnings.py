"""Whose time does not fit into the window of an exam: told when it is published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from examkit.db import Database

from exam_service import errors
from exam_service.domain.deadline import NO_ACCOMMODATION, Accommodation, Timing, own_window
from exam_service.repository import accommodations, attempts, exams
from exam_service.usecases.deadlines import timing_of


@dataclass(frozen=True, slots=True)
class WindowWarning:
    """`student_id` None: everybody who has no window of their own."""

    student_id: UUID | None
    needed: timedelta
    available: timedelta


async def window_warnings(db: Database, exam_id: UUID) -> Sequence[WindowWarning]:
    """Who can't have the whole time, however early they start from now on. Raises not_found."""
    async with db.reading() as conn:
        exam = await exams.get_exam(conn, exam_id)
        if exam is None:
            raise errors.no_such_exam()
        students = await accommodations.with_own_window(conn, exam_id)
        granted = await accommodations.effective_for(conn, students, exam_id)
        now = await attempts.now(conn)
    return list(_warnings(timing_of(exam), granted, now))


def _warnings(
    timing: Timing, granted: Mapping[UUID, Accommodation], now: datetime
) -> Iterator[WindowWarning]:
    # An exam's accommodation may have put the exam's window in the place of a person's own.
    own = {student: one for student, one in granted.items() if one.start_time or one.end_time}
    for student_id, accommodation in [(None, NO_ACCOMMODATION), *sorted(own.items())]:
        window = own_window(timing, accommodation)
        needed = timing.duration * (100 + accommodation.extra_time_percent) / 100
        if window.end is None:
            continue
        available = max(timedelta(0), window.end - max(window.start or now, now))
        if available < needed:
            yield WindowWarning(student_id, needed, available)
