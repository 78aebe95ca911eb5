"""The rules of an exam's settings, the last possible end, and the checklist."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from exam_service.domain import exam as rules
from exam_service.domain.last_end import last_possible_end
from exam_service.domain.paper import Paper, PaperQuestion
from exam_service.domain.publish import reasons
from hypothesis import given
from hypothesis import strategies as st

from .builders import settings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MOMENTS = st.integers(0, 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


def test_the_defaults_are_the_contracts() -> None:
    made = settings()
    assert rules.problems(made) == []
    assert (made.grace_seconds, made.max_attempts, made.shuffle_options) == (30, 1, True)
    assert (made.shuffle_questions, made.result_policy, made.reveal) == (False, "immediate", "correctness")
    assert (made.multi_choice, made.wrong_penalty) == ("all_or_nothing", Decimal(0))


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"title": ""}, ("title",)),
        ({"title": "   "}, ("title",)),
        ({"title": "x" * 201}, ("title",)),
        ({"title": "a\x00"}, ("title",)),
        ({"description": "x" * 10_001}, ("description",)),
        ({"access_code": "x" * 101}, ("access_code",)),
        ({"duration_minutes": 0}, ("duration_minutes",)),
        ({"duration_minutes": 1441}, ("duration_minutes",)),
        ({"grace_seconds": -1}, ("grace_seconds",)),
        ({"grace_seconds": 301}, ("grace_seconds",)),
        ({"max_attempts": 0}, ("max_attempts",)),
        ({"max_attempts": 101}, ("max_attempts",)),
        ({"wrong_penalty": Decimal("1.01")}, ("scoring", "wrong_penalty")),
        ({"wrong_penalty": Decimal("-0.01")}, ("scoring", "wrong_penalty")),
        ({"wrong_penalty": Decimal("NaN")}, ("scoring", "wrong_penalty")),
        ({"multi_choice": "some"}, ("scoring", "multi_choice")),
        ({"result_policy": "never"}, ("result_policy",)),
        ({"reveal": "all"}, ("reveal",)),
        ({"start_time": NOON, "end_time": NOON}, ("end_time",)),
        ({"end_time": datetime(3000, 1, 1, tzinfo=UTC)}, ("end_time",)),
        ({"start_time": datetime(1969, 12, 31, tzinfo=UTC)}, ("start_time",)),
    ],
)
def test_what_is_wrong_is_said_with_its_place(changes: dict, loc: tuple) -> None:  # type: ignore[type-arg]
    assert [problem.loc for problem in rules.problems(settings(**changes))] == [loc]


def test_the_access_code_is_never_audited_in_clear() -> None:
    made = settings(access_code="sesame", end_time=NOON, wrong_penalty=Decimal("0.25"))
    kept = rules.auditable(made, frozenset(rules.SETTING_NAMES))
    assert "sesame" not in str(kept)
    assert kept["access_code"] == "(set)"
    assert (kept["end_time"], kept["wrong_penalty"]) == (NOON.isoformat(), "0.25")


@given(
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    st.integers(0, 300),
    st.none() | MOMENTS,
    st.none() | MOMENTS,
)
def test_nobody_may_sit_after_the_last_possible_end(
    closed_at: datetime | None,
    end_time: datetime | None,
    grace: int,
    accommodated: datetime | None,
    running: datetime | None,
) -> None:
    end = last_possible_end(
        closed_at=closed_at,
        end_time=end_time,
        grace_seconds=grace,
        accommodated_end=accommodated,
        running_end=running,
    )
    assert (end is None) == (closed_at is None and end_time is None)
    if end is None:
        return
    assert running is None or end >= running
    if closed_at is not None:
        assert end in {closed_at, running}
    else:
        last = timedelta(seconds=grace)
        assert all(end >= own + last for own in (end_time, accommodated) if own is not None)


def paper(*numbers: int) -> Paper:
    return Paper(
        UUID(int=99),
        tuple(PaperQuestion(UUID(int=n), UUID(int=n + 10), 1, "text", "?", (), 100, n, b"") for n in numbers),
    )


def test_everything_that_stands_in_the_way_of_publishing_is_said_at_once() -> None:
    broken = settings(start_time=NOON, end_time=NOON - timedelta(hours=1))
    codes = [reason.code for reason in reasons(broken, paper(), [], NOON)]
    assert codes == ["no_questions", "end_before_start", "end_in_past"]
    (gone,) = reasons(settings(), paper(1, 2), [UUID(int=1)], NOON)
    assert (gone.code, gone.as_json()["question_id"]) == ("question_archived", str(UUID(int=2)))
    assert reasons(settings(end_time=NOON + timedelta(seconds=1)), paper(1), [UUID(int=1)], NOON) == []
