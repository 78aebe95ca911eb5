"""The state machine of what staff do to attempts, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.deadline import Accommodation, Timing
from exam_service.domain.intervening import (
    ALLOWED,
    Action,
    NotAllowed,
    NoTimeLeft,
    Order,
    Terms,
    changed,
)
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TERMS = Terms(Timing(60), Accommodation())


def attempt(status: Status = Status.IN_PROGRESS, **changes: object) -> Attempt:
    open_ = status in {Status.IN_PROGRESS, Status.PAUSED}
    made = Attempt(
        student_id=UUID(int=1),
        id=UUID(int=2),
        exam_id=UUID(int=3),
        attempt_no=1,
        status=status,
        version=1,
        started_at=START,
        deadline=START + HOUR,
        deadline_version=1,
        deadline_reason="60 minutes from the start.",
        granted_minutes=0,
        grace_seconds=30,
        closed_at=None if open_ else START + 20 * MINUTE,
        last_activity=START,
        resumes=0,
        seed=b"",
        paused_at=START + 20 * MINUTE if status is Status.PAUSED else None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def do(action: Action, before: Attempt, at: timedelta, minutes: int | None = None) -> Attempt:
    return changed(Order(action, minutes), before, TERMS, START + at)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", Status)
def test_what_is_not_allowed_is_refused(action: Action, status: Status) -> None:
    if status in ALLOWED[action]:
        after = do(action, attempt(status), 30 * MINUTE, 5)
        assert after.version == 1 + (action is not Action.EXTENDED)
        assert (after.closed_at is None) == after.status.is_open
    else:
        with pytest.raises(NotAllowed) as refusal:
            do(action, attempt(status), 30 * MINUTE, 5)
        assert refusal.value.status is status


def test_whose_time_is_up_counts_as_expired_though_nobody_closed_it() -> None:
    for action in (Action.EXTENDED, Action.PAUSED):
        with pytest.raises(NotAllowed) as refusal:
            do(action, attempt(), HOUR + MINUTE, 5)
        assert refusal.value.status is Status.EXPIRED


def test_an_extension_comes_on_top() -> None:
    after = do(Action.EXTENDED, do(Action.EXTENDED, attempt(), MINUTE, 10), MINUTE, 5)

    assert (after.deadline, after.deadline_version, after.version) == (START + HOUR + 15 * MINUTE, 3, 1)
    assert "15 minutes were granted" in after.deadline_reason


@given(pause=st.timedeltas(timedelta(0), timedelta(days=3)), granted=st.integers(0, 60))
def test_time_stands_still_in_a_pause(pause: timedelta, granted: int) -> None:
    before = attempt(granted_minutes=granted, deadline=START + HOUR + granted * MINUTE)
    paused = do(Action.PAUSED, before, 20 * MINUTE)
    resumed_at = START + 20 * MINUTE + pause
    after = do(Action.RESUMED, paused, 20 * MINUTE + pause)

    assert paused.remaining_seconds(resumed_at) == before.remaining_seconds(START + 20 * MINUTE)
    assert after.remaining_seconds(resumed_at) == before.remaining_seconds(START + 20 * MINUTE)
    assert (paused.version, after.version, after.paused_at) == (2, 3, None)


@given(left=st.timedeltas(timedelta(microseconds=1), HOUR), later=st.timedeltas(timedelta(0), 100 * HOUR))
def test_a_reopened_attempt_has_the_time_that_was_left(left: timedelta, later: timedelta) -> None:
    before = attempt(Status.SUBMITTED, closed_at=START + HOUR - left)
    now = START + HOUR - left + later
    after = changed(Order(Action.REOPENED), before, TERMS, now)

    assert after.deadline == now + left
    # A rule that changes later moves it by as much.
    longer = Terms(Timing(90), Accommodation())
    assert longer.applied(after).deadline == now + left + 30 * MINUTE


def test_a_reopened_attempt_may_be_given_its_minutes() -> None:
    for status in (Status.EXPIRED, Status.VOID, Status.SUBMITTED):
        after = do(Action.REOPENED, attempt(status, closed_at=START + HOUR), 5 * HOUR, 15)
        assert after.deadline == START + 5 * HOUR + 15 * MINUTE
    with pytest.raises(NoTimeLeft):
        do(Action.REOPENED, attempt(Status.EXPIRED, closed_at=START + HOUR + 35 * MINUTE), 5 * HOUR)


def test_a_void_attempt_keeps_when_it_closed_and_the_time_that_was_left() -> None:
    submitted = do(Action.VOIDED, attempt(Status.SUBMITTED), 50 * MINUTE)
    assert submitted.closed_at == START + 20 * MINUTE
    paused = do(Action.VOIDED, attempt(Status.PAUSED), 50 * MINUTE)
    assert (paused.closed_at, paused.version, paused.paused_at) == (START + 50 * MINUTE, 2, None)
    again = do(Action.REOPENED, paused, 10 * HOUR)
    assert again.deadline == START + 10 * HOUR + 40 * MINUTE
