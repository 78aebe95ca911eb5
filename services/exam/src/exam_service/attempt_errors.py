"""What students and staff are told that can't be done with an attempt: one maker for each code."""

from datetime import datetime
from uuid import UUID

from examkit.errors import AppError, Kind, conflict, forbidden, gone, not_found, refused

from exam_service.domain.attempt import Status
from exam_service.domain.intervening import Action


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


def another_open(student_exam_id: UUID) -> AppError:
    return conflict(
        "already_started",
        "The student is taking another attempt at this exam.",
        student_exam_id=str(student_exam_id),
    )


_STANDS = {
    Status.IN_PROGRESS: ("attempt_in_progress", "The attempt is in progress."),
    Status.PAUSED: ("attempt_paused", "The attempt is paused."),
    Status.SUBMITTED: ("already_submitted", "The attempt was submitted."),
    Status.EXPIRED: ("attempt_expired", "The time of the attempt is up."),
    Status.VOID: ("attempt_void", "The attempt was declared void."),
}
_INSTEAD = {
    (Action.RESUMED, Status.IN_PROGRESS): "Only a paused one is resumed.",
    (Action.REOPENED, Status.IN_PROGRESS): "Extend it to give more time.",
    (Action.VOIDED, Status.VOID): "Reopen it to take that back.",
    (Action.PAUSED, Status.PAUSED): "Resume it to let the student go on.",
    (Action.REOPENED, Status.PAUSED): "Resume it to let the student go on.",
}


def not_allowed(action: Action, status: Status) -> AppError:
    """409 to staff: how the attempt stands, and what to do instead."""
    code, stands = _STANDS[status]
    instead = _INSTEAD.get((action, status), "Reopen it to let the student go on.")
    return conflict(code, f"{stands} {instead}", attempt_status=status.value)


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
