"""What a student sees first: the exams that are theirs, and how each stands by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from examkit import paging
from examkit.db import Database
from examkit.errors import invalid
from examkit.principal import Principal

from exam_service.domain.attempt import Status, status_by_clock
from exam_service.domain.deadline import Window, own_window
from exam_service.repository.my_exams import MyExam, list_my_exams


@dataclass(frozen=True, slots=True)
class Listed:
    """An exam in the student's list. `status` None: not started. `phase`: upcoming, open or past."""

    exam: MyExam
    window: Window
    phase: str
    status: Status | None
    remaining_seconds: float | None

    @property
    def max_attempts(self) -> int:
        return self.exam.max_attempts + self.exam.granted.extra_attempts


async def list_exams(
    db: Database, principal: Principal, limit: int, cursor: str
) -> tuple[Sequence[Listed], str]:
    """A page of the student's exams and the cursor of the next one ("" for none). Raises invalid."""
    size = paging.limit_of(limit)
    after = _position(cursor)
    async with db.reading() as conn:
        found = await list_my_exams(conn, principal.user_id, principal.groups, limit=size + 1, after=after)
    page = found[:size]
    more = len(found) > size
    next_cursor = paging.encode(page[-1].position.isoformat(), str(page[-1].id)) if more else ""
    return [_listed(exam) for exam in page], next_cursor


def _position(cursor: str) -> tuple[datetime, UUID] | None:
    parts = paging.decode(cursor, 2)
    if parts is None:
        return None
    try:
        moment = datetime.fromisoformat(parts[0])
        if moment.tzinfo is None:
            raise ValueError
        return moment, UUID(parts[1])
    except ValueError:
        raise invalid(
            "The cursor is not one of this list. Leave it out to begin at the first page."
        ) from None


def _listed(exam: MyExam) -> Listed:
    window = own_window(exam.timing, exam.granted)
    status = None
    remaining = None
    if exam.latest_status is not None and exam.latest_deadline is not None:
        status = status_by_clock(exam.latest_status, exam.latest_deadline, exam.now)
        if status is Status.IN_PROGRESS:
            remaining = max(0.0, (exam.latest_deadline - exam.now).total_seconds())
    return Listed(exam, window, _phase(exam, window, status), status, remaining)


def _phase(exam: MyExam, window: Window, status: Status | None) -> str:
    """A closed exam is past, but for who is still sitting it."""
    if status is not None and status.is_open:
        return "open"
    return "past" if exam.closed else window.phase(exam.now)
