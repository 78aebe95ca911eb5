"""What staff see of attempts."""

from collections.abc import Sequence
from uuid import UUID

from examkit import paging
from examkit.db import Database
from examkit.errors import FieldError, invalid
from examkit.ids import parse_uuid

from exam_service import attempt_errors, errors
from exam_service.domain.attempt import Status
from exam_service.repository import attempt_lists, exams
from exam_service.repository.attempt_lists import Summary


async def list_attempts(
    db: Database, exam_id: str, status: str, limit: int, cursor: str
) -> tuple[Sequence[Summary], str]:
    """A page of the attempts at an exam, of one status or ("") of all, and the next cursor ("" for none).

    Raises not_found for the exam, invalid.
    """
    exam_uuid = parse_uuid(exam_id, "exam")
    wanted = _status(status)
    size = paging.limit_of(limit)
    after = _position(cursor)
    async with db.reading() as conn:
        if await exams.get_exam(conn, exam_uuid) is None:
            raise errors.no_such_exam()
        found = await attempt_lists.list_attempts(conn, exam_uuid, limit=size + 1, after=after, status=wanted)
    more = len(found) > size
    return found[:size], paging.encode(str(found[size - 1].attempt.id)) if more else ""


async def get_attempt(db: Database, student_exam_id: str) -> Summary:
    """Raises not_found."""
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        found = await attempt_lists.find_attempt(conn, attempt_id)
    if found is None:
        raise attempt_errors.no_such_attempt()
    return found


def _status(text: str) -> Status | None:
    if not text:
        return None
    try:
        return Status(text)
    except ValueError:
        choices = ", ".join(status.value for status in Status)
        raise errors.invalid_fields([FieldError(("status",), f"must be one of {choices}")]) from None


def _position(cursor: str) -> UUID | None:
    parts = paging.decode(cursor, 1)
    if parts is None:
        return None
    try:
        return UUID(parts[0])
    except ValueError:
        raise invalid(
            "The cursor is not one of this list. Leave it out to begin at the first page."
        ) from None
