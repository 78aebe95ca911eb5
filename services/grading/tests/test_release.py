"""What is shown when, and how the student's view is lettered."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from grading_service.domain.key import ChoiceKey, NumericKey
from grading_service.domain.release import ExamPolicy, Reveal, revealed
from grading_service.domain.scoring import Mark
from grading_service.domain.student_view import GradedItem, plain_items, revealing_items, shown_key

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def policy(**changes: object) -> ExamPolicy:
    values: dict[str, object] = {
        "title": "Physics", "result_policy": "immediate", "reveal": Reveal.CORRECTNESS, "closed": False,
        "end_time": None, "last_possible_end": None, "released_at": None,
    }  # fmt: skip
    return ExamPolicy(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, Reveal.CORRECTNESS),
        ({"reveal": Reveal.SCORE}, Reveal.SCORE),
        ({"result_policy": "manual"}, None),
        ({"result_policy": "manual", "released_at": NOW}, Reveal.CORRECTNESS),
        ({"result_policy": "after_close"}, None),
        ({"result_policy": "after_close", "end_time": NOW + HOUR}, None),
        ({"result_policy": "after_close", "end_time": NOW}, Reveal.CORRECTNESS),
        ({"result_policy": "after_close", "closed": True}, Reveal.CORRECTNESS),
        # The right answers wait for the last who may sit, whatever else is said.
        ({"reveal": Reveal.ANSWERS}, Reveal.CORRECTNESS),
        ({"reveal": Reveal.ANSWERS, "last_possible_end": NOW + HOUR}, Reveal.CORRECTNESS),
        ({"reveal": Reveal.ANSWERS, "closed": True}, Reveal.CORRECTNESS),
        ({"reveal": Reveal.ANSWERS, "last_possible_end": NOW}, Reveal.ANSWERS),
        ({"reveal": Reveal.ANSWERS, "last_possible_end": NOW, "result_policy": "manual"}, None),
    ],
)  # fmt: skip
def test_what_is_shown(changes: dict[str, object], shown: Reveal | None) -> None:
    assert revealed(policy(**changes), NOW, over=True) is shown
    # Without the word of exam everything is as before, but for the right answers.
    less = Reveal.CORRECTNESS if shown is Reveal.ANSWERS else shown
    assert revealed(policy(**changes), NOW, over=False) is less


def test_the_key_is_lettered_as_the_student_saw_it() -> None:
    assert shown_key(ChoiceKey(frozenset({"A", "C"})), ("C", "B", "D", "A")) == ["A", "D"]


def test_the_plain_view_says_nothing_of_the_key() -> None:
    item = GradedItem("q", 100, Mark("graded", False, 0), "B", "A")
    (plain,) = plain_items([item])
    assert not {"correct", "explanation"} & plain.keys()
    (full,) = revealing_items([plain], {"q": (NumericKey(Decimal("3.14")), "because")}, {})
    assert full["correct"] == {"value": "3.14", "tolerance": "0"}
    assert full["explanation"] == "because"
    assert full["answer"] == "A"
