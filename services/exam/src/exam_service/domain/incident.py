"""Something that befell many at once: what is done for them, for whom, and how it is taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from examkit.errors import FieldError

from exam_service.domain.intervening import MOST_MINUTES, Action, Order
from exam_service.domain.text import text_problem

MOST_REASON = 1000
MOST_STUDENTS = 100_000


class What(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    ADD_MINUTES = "add_minutes"

    @property
    def action(self) -> Action:
        """What it is for each attempt."""
        return _ACTIONS[self]

    @property
    def undone_by(self) -> "What":
        """What takes it back; minutes are added with the other sign."""
        return {What.PAUSE: What.RESUME, What.RESUME: What.PAUSE}.get(self, self)


_ACTIONS = {
    What.PAUSE: Action.PAUSED,
    What.RESUME: Action.RESUMED,
    What.ADD_MINUTES: Action.EXTENDED,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Of those who sit the exam: all, or those who fit both of what is given.

    `group` names who `student_ids` are. `silent`: no save and no other sign of life from the first moment to
    the second, though the attempt had begun.
    """

    group: str = ""
    student_ids: frozenset[UUID] | None = None
    silent: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, for whom and why. `minutes` for ADD_MINUTES alone."""

    what: What
    scope: Scope
    reason: str
    minutes: int | None = None

    @property
    def order(self) -> Order:
        return Order(self.what.action, self.minutes)

    def problems(self) -> Iterator[FieldError]:
        """Everything that is wrong, located by field."""
        if self.what is What.ADD_MINUTES:
            if self.minutes is None or not 1 <= self.minutes <= MOST_MINUTES:
                yield FieldError(("minutes",), f"must be a whole number from 1 to {MOST_MINUTES}")
        elif self.minutes is not None:
            yield FieldError(("minutes",), "only come with add_minutes")
        problem = text_problem(self.reason, least=1, most=MOST_REASON)
        if problem:
            yield FieldError(("reason",), problem)
        silent = self.scope.silent
        if silent is not None and silent[0] >= silent[1]:
            yield FieldError(("scope", "silent_between"), "must end after it begins")
        if self.scope.student_ids is not None and len(self.scope.student_ids) > MOST_STUDENTS:
            yield FieldError(("scope", "group"), f"must be at most {MOST_STUDENTS} students")
