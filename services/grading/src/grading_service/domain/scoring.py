"""From a question, its key, an answer and the exam's policy to points: the rules of the contract's "Scores".

Points are hundredths. Answers come in the authored letters, as JSON values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Literal

from grading_service.domain.key import (
    MAX_EXPONENT,
    ChoiceKey,
    Key,
    ManualKey,
    NumericKey,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
    decimal_of,
    normal,
)

Status = Literal["graded", "pending", "excluded"]


@dataclass(frozen=True)
class Policy:
    """How an exam scores: `multi_choice` is all_or_nothing or partial, `wrong_penalty` a share of 0 … 1."""

    multi_choice: str = "all_or_nothing"
    wrong_penalty: Decimal = Decimal(0)


@dataclass(frozen=True)
class Mark:
    """What one answer earned. `is_correct` and `score` are None while a marker is awaited."""

    status: Status
    is_correct: bool | None
    score: int | None


@dataclass(frozen=True)
class Totals:
    """Over the questions that count, pending ones included; `percentage` in hundredths of a percent."""

    total: int
    max_possible: int
    percentage: int
    graded_count: int
    pending_count: int


PENDING = Mark("pending", None, None)
NOTHING = Mark("graded", False, 0)


def is_given(answer: Any) -> bool:
    """Whether there is an answer at all: null, the empty list and blank text are none."""
    return bool(answer.strip()) if isinstance(answer, str) else bool(answer)


def mark(kind: QuestionType, key: Key, answer: Any, points: int, policy: Policy) -> Mark:
    """Grade one answer. Not answered earns 0, also where a marker would decide: there is nothing to read."""
    if not is_given(answer):
        return NOTHING
    match key:
        case ManualKey():
            return PENDING
        case ChoiceKey(correct) if kind is QuestionType.SINGLE_CHOICE:
            return _choice(answer in correct, points, policy)
        case ChoiceKey(correct):
            return _multi_choice(set(answer), correct, points, policy)
        case TrueFalseKey(correct):
            return _plain(answer == ("true" if correct else "false"), points)
        case NumericKey():
            return _plain(_within(answer, key), points)
        case ShortTextKey(accepted, case_sensitive):
            given = normal(answer, case_sensitive)
            return _plain(any(given == normal(text, case_sensitive) for text in accepted), points)


def _plain(right: bool, points: int) -> Mark:
    return Mark("graded", right, points if right else 0)


def _choice(right: bool, points: int, policy: Policy) -> Mark:
    if right:
        return Mark("graded", True, points)
    return Mark("graded", False, -half_up(points * policy.wrong_penalty))


def _multi_choice(chosen: set[str], correct: frozenset[str], points: int, policy: Policy) -> Mark:
    if chosen == correct or policy.multi_choice != "partial":
        return _choice(chosen == correct, points, policy)
    earned = max(0, len(chosen & correct) - len(chosen - correct))
    if not earned:
        return _choice(False, points, policy)
    return Mark("graded", False, half_up(Decimal(points * earned) / len(correct)))


def _within(answer: str, key: NumericKey) -> bool:
    given = decimal_of(answer)
    if given is None:
        return False
    with localcontext() as context:
        # Enough digits that the difference of any two numbers we compare is exact.
        context.prec = 4 * MAX_EXPONENT
        return abs(given - key.value) <= key.tolerance


def half_up(number: Decimal) -> int:
    """Round to a whole hundredth, halves up."""
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def totals(items: Iterable[tuple[Mark, int]]) -> Totals:
    """Sum up marks and their maximum points. A total is never below 0; excluded questions don't count."""
    counted = [(one, points) for one, points in items if one.status != "excluded"]
    total = max(0, sum(one.score or 0 for one, _ in counted))
    most = sum(points for _, points in counted)
    pending = sum(one.status == "pending" for one, _ in counted)
    return Totals(total, most, percentage(total, most), len(counted) - pending, pending)


def percentage(total: int, max_possible: int) -> int:
    """Hundredths of a percent; 0 where nothing counts."""
    return half_up(Decimal(total * 10_000) / max_possible) if max_possible else 0
