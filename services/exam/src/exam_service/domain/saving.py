"""A save on its way to the database, and what becomes of it.

Immutable structs rather than dataclasses, which take five times as long to make: a save has a dozen of them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from examkit.errors import AppError
from msgspec import Struct

from exam_service.domain.answer import Answer


class NewAnswer(Struct, frozen=True):
    """An answer fit for its question. Without a revision it takes the stored one + 1.

    `file_id`: the picture that it names, which must be one of its own.
    """

    question_id: UUID
    answer: Answer
    revision: int | None
    file_id: UUID | None = None


class Save(Struct, frozen=True):
    """The answers of one request of one student, who is known to be who they say.

    `arrived`: when the request came in, on `time.monotonic()`. `closing`: they come with a submit, for
    which the grace counts.
    """

    student_id: UUID
    attempt_id: UUID
    answers: tuple[NewAnswer, ...]
    arrived: float
    closing: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether storing it twice is as storing it once. Without a revision it takes the next each time."""
        return all(answer.revision is not None for answer in self.answers)


class StoredAnswer(Struct, frozen=True):
    question_id: UUID
    answer: Answer
    revision: int
    saved_at: datetime


class Verdict(Struct, frozen=True):
    """What became of one answer: `stored`, `repeat`, `superseded`, `conflict` or `rejected`.

    `revision` and `saved_at` are those of what is stored now. `current` is what is stored where that is not
    what was sent; `code` and `detail` say why where it was not taken, `field` what of it.
    """

    question_id: str
    outcome: str
    revision: int = 0
    saved_at: datetime | None = None
    current: StoredAnswer | None = None
    code: str = ""
    detail: str = ""
    field: str = ""


class AttemptClock(Struct, frozen=True):
    deadline: datetime
    deadline_version: int
    deadline_reason: str
    server_time: datetime

    @property
    def remaining_seconds(self) -> float:
        return max(0.0, (self.deadline - self.server_time).total_seconds())


class SaveResult(Struct, frozen=True):
    """Either a fault of the whole attempt, or a verdict for each answer in the order sent, and the clock."""

    fault: AppError | None = None
    verdicts: Sequence[Verdict] = ()
    clock: AttemptClock | None = None


def rejected(question_id: str, code: str, detail: str, field: str = "answer") -> Verdict:
    return Verdict(question_id, "rejected", code=code, detail=detail, field=field)
