"""What staff may do to an attempt: the one state machine beside starting and closing.

in_progress ⇄ paused → submitted | expired, by the student, the clock or a pause's end; any of them → void;
submitted | expired | void → in_progress by reopening. Whose time is up counts as expired, swept or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.deadline import Accommodation, Timing, deadline

MOST_MINUTES = 1440


class Action(StrEnum):
    """Named as the history has them: done."""

    EXTENDED = "extended"
    PAUSED = "paused"
    RESUMED = "resumed"
    VOIDED = "voided"
    REOPENED = "reopened"


_OPEN = frozenset({Status.IN_PROGRESS, Status.PAUSED})
ALLOWED: Mapping[Action, frozenset[Status]] = MappingProxyType(
    {
        Action.EXTENDED: _OPEN,
        Action.PAUSED: frozenset({Status.IN_PROGRESS}),
        Action.RESUMED: frozenset({Status.PAUSED}),
        Action.VOIDED: _OPEN | {Status.SUBMITTED, Status.EXPIRED},
        Action.REOPENED: frozenset({Status.SUBMITTED, Status.EXPIRED, Status.VOID}),
    }
)


class NotAllowed(Exception):  # noqa: N818 - named for what it tells
    """The attempt's status does not allow the action."""

    def __init__(self, action: Action, status: Status) -> None:
        super().__init__(f"{action} where it is {status}")
        self.action = action
        self.status = status


class NoTimeLeft(Exception):  # noqa: N818 - named for what it tells
    """A reopened attempt would be over at once: minutes must be given."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides on an attempt's deadline beside the attempt itself."""

    timing: Timing
    accommodation: Accommodation

    def applied(self, attempt: Attempt) -> Attempt:
        """The attempt with the deadline that these give it now, one version on."""
        at = deadline(
            self.timing, self.accommodation, attempt.started_at, attempt.granted_minutes, attempt.shifted
        )
        return replace(
            attempt,
            deadline=at.at,
            deadline_reason=at.reason,
            deadline_version=attempt.deadline_version + 1,
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done. `minutes`: those granted, or those that a reopened attempt has from now on."""

    action: Action
    minutes: int | None = None


def changed(order: Order, attempt: Attempt, terms: Terms, now: datetime) -> Attempt:
    """The attempt after it. Raises NotAllowed, NoTimeLeft."""
    status = attempt.by_clock(now).status
    if status not in ALLOWED[order.action]:
        raise NotAllowed(order.action, status)
    match order.action:
        case Action.EXTENDED:
            return _extended(attempt, terms, order.minutes or 0)
        case Action.PAUSED:
            return _moved(attempt, Status.PAUSED, paused_at=now)
        case Action.RESUMED:
            return _resumed(attempt, terms, now)
        case Action.VOIDED:
            return _voided(attempt, terms, now)
        case Action.REOPENED:
            return _reopened(attempt, terms, now, order.minutes)


def _extended(attempt: Attempt, terms: Terms, minutes: int) -> Attempt:
    return terms.applied(replace(attempt, granted_minutes=attempt.granted_minutes + minutes))


def _resumed(attempt: Attempt, terms: Terms, now: datetime) -> Attempt:
    """Time stood still: the deadline moves by the length of the pause."""
    pause = now - (attempt.paused_at or now)
    going_on = _moved(attempt, Status.IN_PROGRESS, paused_at=None, shifted=attempt.shifted + pause)
    return terms.applied(going_on)


def _voided(attempt: Attempt, terms: Terms, now: datetime) -> Attempt:
    """One that was closed keeps when; of a paused one the time that is left stays what it was."""
    if attempt.status is Status.PAUSED:
        attempt = replace(_resumed(attempt, terms, now), version=attempt.version)
    return _moved(attempt, Status.VOID, closed_at=attempt.closed_at or now)


def _reopened(attempt: Attempt, terms: Terms, now: datetime, minutes: int | None) -> Attempt:
    """With the time that was left when it closed, or with these minutes."""
    left = attempt.deadline - (attempt.closed_at or now)
    if minutes is not None:
        left = timedelta(minutes=minutes)
    if left <= timedelta(0):
        raise NoTimeLeft
    again = _moved(
        attempt,
        Status.IN_PROGRESS,
        closed_at=None,
        answers_digest=None,
        answer_count=None,
        shifted=timedelta(0),
    )
    by_the_rules = terms.applied(again).deadline
    return terms.applied(replace(again, shifted=now + left - by_the_rules))


def _moved(attempt: Attempt, status: Status, **changes: object) -> Attempt:
    """One version on: what is told of an attempt is known by it."""
    return replace(attempt, status=status, version=attempt.version + 1, **changes)  # type: ignore[arg-type]
