"""Whether a student may see a result now, and how much of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reveal(StrEnum):
    SCORE = "score"
    CORRECTNESS = "correctness"
    ANSWERS = "answers"


@dataclass(frozen=True)
class ExamPolicy:
    """What grading knows of an exam beside its paper; `version` is the exam's, only a higher one is applied.

    `last_possible_end` is the latest moment at which anybody may still sit; None: without end.
    """

    title: str
    result_policy: str
    reveal: Reveal
    closed: bool
    end_time: datetime | None
    last_possible_end: datetime | None
    released_at: datetime | None


def is_released(policy: ExamPolicy, now: datetime) -> bool:
    """`immediate`: at once; `after_close`: once the exam is closed or past its end; `manual`: on release."""
    if policy.result_policy == "immediate":
        return True
    if policy.result_policy == "after_close":
        return policy.closed or (policy.end_time is not None and now >= policy.end_time)
    return policy.released_at is not None


def revealed(policy: ExamPolicy, now: datetime, *, over: bool) -> Reveal | None:
    """How much is shown; None: nothing. The right answers wait until nobody may still sit.

    `over`: the exam service says so now. What is stored of the exam may be late, and has to say it too.
    """
    if not is_released(policy, now):
        return None
    if policy.reveal is not Reveal.ANSWERS:
        return policy.reveal
    ended = policy.last_possible_end is not None and now >= policy.last_possible_end
    return Reveal.ANSWERS if ended and over else Reveal.CORRECTNESS
