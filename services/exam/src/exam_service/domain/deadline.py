"""The one place that says when an attempt ends, and until when an exam is open for a student.

`deadline = min(started_at + duration × (1 + extra time), own end) + granted minutes + shift`, where own end
is the accommodation's end, or else the exam's end + duration × extra time, and the shift is what pauses took
and reopening gave.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_EXTRA_TIME_PERCENT = 400


@dataclass(frozen=True, slots=True)
class Timing:
    """What an exam says of time. No start: open from publishing on; no end: open for good."""

    duration_minutes: int
    start_time: datetime | None = None
    end_time: datetime | None = None

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)


@dataclass(frozen=True, slots=True)
class Accommodation:
    """What a student is granted, for one exam or (`per_exam` false) for all. Percent is of the duration."""

    extra_time_percent: int = 0
    extra_attempts: int = 0
    start_time: datetime | None = None
    end_time: datetime | None = None
    per_exam: bool = False


NO_ACCOMMODATION = Accommodation()


@dataclass(frozen=True, slots=True)
class Window:
    """When a student may start, bounds included. None: no bound on that side."""

    start: datetime | None
    end: datetime | None

    def phase(self, now: datetime) -> str:
        """`upcoming`, `open` or `past`."""
        if self.start is not None and now < self.start:
            return "upcoming"
        if self.end is not None and now > self.end:
            return "past"
        return "open"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment after which no answer is taken, and the rule that gave it, as a sentence."""

    at: datetime
    reason: str


def effective(own: Accommodation | None, for_exam: Accommodation | None) -> Accommodation:
    """The accommodation that holds: the exam's goes before the person's own as a whole, nothing is mixed."""
    return for_exam or own or NO_ACCOMMODATION


def own_window(timing: Timing, accommodation: Accommodation) -> Window:
    """The student's own window: the accommodation's bounds where it has any, else the exam's.

    Extra time moves the exam's end, so that who starts last has the extra time too.
    """
    end = accommodation.end_time
    if end is None and timing.end_time is not None:
        end = timing.end_time + _extra(timing, accommodation)
    return Window(accommodation.start_time or timing.start_time, end)


def deadline(
    timing: Timing,
    accommodation: Accommodation,
    started_at: datetime,
    granted_minutes: int = 0,
    shifted: timedelta = timedelta(0),
) -> Deadline:
    """When an attempt that began at `started_at` ends."""
    full_time = started_at + timing.duration + _extra(timing, accommodation)
    end = own_window(timing, accommodation).end
    if end is None or full_time <= end:
        at, reason = full_time, _full_time_reason(timing, accommodation)
    else:
        at, reason = end, _end_reason(accommodation)
    if granted_minutes:
        reason += f" {granted_minutes} minutes were granted on top."
    if shifted:
        reason += f" Pauses and reopening moved it by {_written(shifted)}."
    return Deadline(at + timedelta(minutes=granted_minutes) + shifted, reason)


@dataclass(frozen=True, slots=True)
class Step:
    """One rule on the way to a deadline: by how much it moved it, and where it is then.

    `rule`: start, duration, extra_time, own_end, exam_end, granted or shifted.
    """

    rule: str
    amount: timedelta
    at: datetime
    detail: str


def explained(
    timing: Timing,
    accommodation: Accommodation,
    started_at: datetime,
    granted_minutes: int = 0,
    shifted: timedelta = timedelta(0),
) -> list[Step]:
    """How `deadline` comes to its moment, for staff: the last step is at it."""
    steps = [Step("start", timedelta(0), started_at, "The attempt began.")]

    def add(rule: str, amount: timedelta, detail: str) -> None:
        steps.append(Step(rule, amount, steps[-1].at + amount, detail))

    add("duration", timing.duration, f"{timing.duration_minutes} minutes of the exam.")
    whose = "for this exam" if accommodation.per_exam else "for all exams"
    if accommodation.extra_time_percent:
        percent = f"{accommodation.extra_time_percent} % extra time, granted {whose}."
        add("extra_time", _extra(timing, accommodation), percent)
    end = own_window(timing, accommodation).end
    if end is not None and end < steps[-1].at:
        own = accommodation.end_time is not None
        told = f"An end of their own, granted {whose}." if own else "The exam's end, with the extra time."
        add("own_end" if own else "exam_end", end - steps[-1].at, told)
    if granted_minutes:
        add("granted", timedelta(minutes=granted_minutes), f"{granted_minutes} minutes granted by staff.")
    if shifted:
        add("shifted", shifted, f"{_written(shifted)} by pauses and reopening.")
    return steps


def _written(shift: timedelta) -> str:
    """Hours, minutes and seconds, with the sign: +0:03:20."""
    sign = "-" if shift < timedelta(0) else "+"
    minutes, seconds = divmod(round(abs(shift).total_seconds()), 60)
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _extra(timing: Timing, accommodation: Accommodation) -> timedelta:
    return timing.duration * accommodation.extra_time_percent / 100


def _full_time_reason(timing: Timing, accommodation: Accommodation) -> str:
    minutes = f"{timing.duration_minutes} minutes from the start"
    if not accommodation.extra_time_percent:
        return f"{minutes}."
    return f"{minutes} and {accommodation.extra_time_percent} % extra time ({_origin(accommodation)})."


def _end_reason(accommodation: Accommodation) -> str:
    if accommodation.end_time is not None:
        return f"Your own end of the exam ({_origin(accommodation)})."
    if accommodation.extra_time_percent:
        extra = f"{accommodation.extra_time_percent} % extra time ({_origin(accommodation)})"
        return f"The end of the exam, with {extra}."
    return "The end of the exam."


def _origin(accommodation: Accommodation) -> str:
    return "granted to you for this exam" if accommodation.per_exam else "granted to you for all exams"
