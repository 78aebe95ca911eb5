"""What a marker gives: points, perhaps by criteria, and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from examkit.errors import FieldError

CLAIM = timedelta(minutes=15)
MOST_COMMENT = 10_000
MOST_CRITERIA = 50
MOST_NAME = 300


@dataclass(frozen=True)
class Criterion:
    """One line of a rubric as it was chosen; `points` in hundredths."""

    name: str
    points: int


def mark_faults(score: int, max_score: int, comment: str, criteria: Sequence[Criterion]) -> list[FieldError]:
    """What keeps this from being a mark of at most `max_score` hundredths."""
    wrong = []
    if not 0 <= score <= max_score:
        wrong.append(FieldError(("score",), f"Give 0 to {max_score / 100:.2f} points."))
    if len(comment) > MOST_COMMENT:
        wrong.append(FieldError(("comment",), f"At most {MOST_COMMENT} characters."))
    if len(criteria) > MOST_CRITERIA:
        wrong.append(FieldError(("criteria",), f"At most {MOST_CRITERIA} criteria."))
    for place, one in enumerate(criteria):
        if not one.name.strip() or len(one.name) > MOST_NAME:
            wrong.append(FieldError(("criteria", place, "name"), f"Name it by 1 to {MOST_NAME} characters."))
    if criteria and sum(one.points for one in criteria) != score:
        wrong.append(FieldError(("criteria",), "Their points must add up to the score."))
    return wrong
