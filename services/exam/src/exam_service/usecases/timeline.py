"""What happened in one attempt, as lines for an operator who looks into it. No answers are shown."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from examkit.db import Database
from examkit.ids import parse_uuid
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors
from exam_service.repository import timelines
from exam_service.repository.timelines import Tended


async def timeline(db: Database, student_exam_id: str) -> list[str]:
    """The attempt as it stands, then what left a trace, by time. Raises not_found, invalid."""
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        found, moments = await read_timeline(conn, attempt_id)
    return [*_standing(found), *(f"  {_stamp(at)}  {what}" for at, what in moments)]


async def read_timeline(conn: AsyncConnection, attempt_id: UUID) -> tuple[Tended, list[tuple[datetime, str]]]:
    """The attempt, and what left a trace of it, by time. Raises not_found."""
    found = await timelines.find(conn, attempt_id)
    if found is None:
        raise attempt_errors.no_such_attempt()
    moments = await timelines.moments(conn, found.attempt)
    return found, sorted([*moments, *_own_moments(found)])


def _standing(found: Tended) -> Iterable[str]:
    attempt = found.attempt
    yield f"exam: attempt {attempt.id}, number {attempt.attempt_no} of student {attempt.student_id}"
    yield f"at exam {attempt.exam_id}"
    yield f"status {attempt.status}, version {attempt.version}, resumed {attempt.resumes} times"
    yield (
        f"deadline {_stamp(attempt.deadline)} ({attempt.deadline_reason}), version"
        f" {attempt.deadline_version}, {attempt.granted_minutes} min granted, {attempt.grace_seconds} s grace"
    )
    if found.graded_version == attempt.version:
        yield "grade: there is one of this version"
    elif found.announce_at is not None:
        yield (
            f"grade: none known; told to grading {found.announcements} times,"
            f" again after {_stamp(found.announce_at)}"
        )


def _own_moments(found: Tended) -> Iterable[tuple[datetime, str]]:
    attempt = found.attempt
    yield attempt.started_at, "started"
    yield attempt.last_activity, "last activity"
    yield attempt.deadline, "deadline"
    if attempt.closed_at is not None:
        yield attempt.closed_at, f"closed as {attempt.status}, {attempt.answer_count or 0} answers"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
