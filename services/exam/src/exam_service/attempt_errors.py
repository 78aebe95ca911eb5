"""What a student is told that can't be done with an attempt: one maker for each code of the contract."""

from datetime import datetime
from uuid import UUID

from examkit.errors import AppError, Kind, conflict, forbidden, gone, not_found, refused


class AttemptHeld(AppError):  # noqa: N818 - named for what it tells
    """Somebody else changes the attempt at this moment."""

    def __init__(self) -> None:
        detail = "This attempt is being changed. Try again."
        super().__init__(Kind.UNAVAILABLE, "unavailable", detail, retry_after=1.0)


def no_such_attempt() -> AppError:
    return not_found("There is no such attempt.")


def no_open_attempt() -> AppError:
    return not_found("You have no attempt at this exam in progress.")


def exam_not_open(start: datetime | None, end: datetime | None) -> AppError:
    return forbidden(
        "The exam is not open now.",
        code="exam_not_open",
        start_time=_rfc3339(start),
        end_time=_rfc3339(end),
    )


def access_code_wrong() -> AppError:
    return forbidden("The access code is wrong.", code="access_code_wrong")


def already_started(student_exam_id: UUID) -> AppError:
    return conflict(
        "already_started", "You are taking this exam already.", student_exam_id=str(student_exam_id)
    )


def attempt_limit() -> AppError:
    return conflict("attempt_limit", "You have no attempt left.")


def time_is_up(student_exam_id: UUID) -> AppError:
    return gone(
        "time_limit_exceeded", "The time of this attempt is up.", student_exam_id=str(student_exam_id)
    )


def fault(code: str) -> AppError:
    """Why an attempt takes no answers, by its code."""
    match code:
        case "time_limit_exceeded":
            return refused(code, "The time of this attempt is up.")
        case "already_submitted":
            return conflict(code, "This attempt has been submitted.")
        case "attempt_void":
            return conflict(code, "This attempt was declared void.")
        case "attempt_paused":
            return conflict(code, "This attempt is paused.")
        case "set_aside":
            return AttemptHeld()
        case _:
            return no_such_attempt()


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
