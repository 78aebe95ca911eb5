"""The one deadline function, against its formula and against what it must never do."""

import itertools
from datetime import UTC, datetime, timedelta

from exam_service.domain.deadline import (
    NO_ACCOMMODATION,
    Accommodation,
    Timing,
    deadline,
    effective,
    explained,
    own_window,
)
from hypothesis import given
from hypothesis import strategies as st

DAY_LONG = timedelta(days=1)
DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

moments = st.integers(0, 365 * 24 * 3600 * 1000).map(lambda ms: DAY + timedelta(milliseconds=ms))
timings = st.builds(
    Timing,
    duration_minutes=st.integers(1, 1440),
    start_time=st.none() | moments,
    end_time=st.none() | moments,
)
accommodations = st.builds(
    Accommodation,
    extra_time_percent=st.integers(0, 400),
    extra_attempts=st.integers(0, 10),
    start_time=st.none() | moments,
    end_time=st.none() | moments,
    per_exam=st.booleans(),
)
minutes = st.integers(0, 600)


@given(timings, accommodations, moments, minutes)
def test_it_is_the_formula_of_the_contract(
    timing: Timing, granted: Accommodation, started: datetime, more: int
) -> None:
    extra = timedelta(minutes=timing.duration_minutes * granted.extra_time_percent / 100)
    full = started + timedelta(minutes=timing.duration_minutes) + extra
    if granted.end_time is not None:
        ends = [full, granted.end_time]
    elif timing.end_time is not None:
        ends = [full, timing.end_time + extra]
    else:
        ends = [full]

    found = deadline(timing, granted, started, more)

    assert abs(found.at - (min(ends) + timedelta(minutes=more))) <= timedelta(microseconds=1)


@given(timings, accommodations, moments, minutes)
def test_it_always_says_why(timing: Timing, granted: Accommodation, started: datetime, more: int) -> None:
    reason = deadline(timing, granted, started, more).reason

    assert reason.endswith(".")
    assert (f"{more} minutes were granted" in reason) == (more > 0)
    if granted.extra_time_percent == 0 and granted.end_time is None:
        assert "granted to you" not in reason


@given(timings, accommodations, moments, st.integers(0, 400), minutes)
def test_more_extra_time_is_never_an_earlier_end(
    timing: Timing, granted: Accommodation, started: datetime, percent: int, more: int
) -> None:
    lesser, greater = sorted((granted.extra_time_percent, percent))
    few = Accommodation(lesser, 0, None, granted.end_time)
    many = Accommodation(greater, 0, None, granted.end_time)

    assert deadline(timing, few, started, more).at <= deadline(timing, many, started, more).at


@given(timings, accommodations, moments, minutes)
def test_granted_minutes_come_on_top_of_everything(
    timing: Timing, granted: Accommodation, started: datetime, more: int
) -> None:
    without = deadline(timing, granted, started).at

    assert deadline(timing, granted, started, more).at - without == timedelta(minutes=more)


@given(st.none() | accommodations, st.none() | accommodations)
def test_the_exams_accommodation_goes_before_the_persons_as_a_whole(
    own: Accommodation | None, for_exam: Accommodation | None
) -> None:
    assert effective(own, for_exam) == (for_exam or own or NO_ACCOMMODATION)


@given(timings, accommodations, moments)
def test_who_starts_within_the_window_may_sit_until_the_own_end_at_most(
    timing: Timing, granted: Accommodation, started: datetime
) -> None:
    window = own_window(timing, granted)

    if window.end is not None:
        assert deadline(timing, granted, started).at <= window.end
    if window.phase(started) == "open":
        assert deadline(timing, granted, started).at >= started


def test_the_reasons_read_as_sentences() -> None:
    hour = Timing(60)
    until_noon = Timing(60, end_time=DAY + timedelta(minutes=30))
    half_more = Accommodation(50, per_exam=True)

    assert deadline(hour, NO_ACCOMMODATION, DAY).reason == "60 minutes from the start."
    assert (
        deadline(hour, half_more, DAY, 5).reason
        == "60 minutes from the start and 50 % extra time (granted to you for this exam). "
        "5 minutes were granted on top."
    )
    assert deadline(until_noon, NO_ACCOMMODATION, DAY).reason == "The end of the exam."
    assert (
        deadline(until_noon, Accommodation(50), DAY).reason
        == "The end of the exam, with 50 % extra time (granted to you for all exams)."
    )
    assert (
        deadline(hour, Accommodation(end_time=DAY), DAY).reason
        == "Your own end of the exam (granted to you for all exams)."
    )


@given(timings, accommodations, moments, minutes, st.timedeltas(-DAY_LONG, DAY_LONG))
def test_its_explanation_leads_to_it(
    timing: Timing, granted: Accommodation, started: datetime, more: int, shifted: timedelta
) -> None:
    steps = explained(timing, granted, started, more, shifted)

    assert steps[-1].at == deadline(timing, granted, started, more, shifted).at
    assert (steps[0].rule, steps[0].at) == ("start", started)
    for before, after in itertools.pairwise(steps):
        assert after.at - before.at == after.amount
    capped = {"own_end", "exam_end"} & {step.rule for step in steps}
    assert all(step.amount < timedelta(0) for step in steps if step.rule in capped)
