"""The rules of attempts: begun once, open until their time, closed once and for good."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.ending import AttemptRow, Ending, Window
from tests.chaos.history import Attempt, History, Resume, Save, Submit
from tests.chaos.violation import Violation

TICK = 0.005
"""Seconds that times on the wire may be off by, being written in milliseconds."""
LATE_ARRIVALS = 5.0
"""Seconds that a request may have waited inside, and that count as if it had not."""
SWEPT_WITHIN = 60.0
"""Seconds after its last moment by which the server has closed an attempt, whatever fell in between."""


def check_attempts(history: History, ending: Ending) -> Iterator[Violation]:
    """Every rule for every attempt."""
    submits: dict[str, list[Submit]] = defaultdict(list)
    for submit in history.submits:
        submits[submit.attempt].append(submit)
    yield from _nothing_after_the_end(history, submits)
    yield from _nothing_refused_in_time(history, submits)
    yield from _submits_agree(history, submits)
    yield from _rows(history, ending)
    yield from _one_at_a_time(ending)
    yield from _same_paper(history)


def _nothing_after_the_end(history: History, submits: dict[str, list[Submit]]) -> Iterator[Violation]:
    closed = {
        attempt: min((one.call.ended for one in sent if one.call.ok), default=float("inf"))
        for attempt, sent in submits.items()
    }
    for save in history.saves:
        attempt = history.attempts[save.attempt]
        if save.closes or save.outcome not in ("stored", "repeat", "superseded"):
            continue
        if save.call.began > attempt.deadline + TICK:
            late = save.call.began - attempt.deadline
            yield _of(attempt, "taken after the deadline", f"a save, {late:.3f} s late", save)
        if save.call.began > closed.get(save.attempt, float("inf")):
            yield _of(attempt, "taken after the submit", f"a save was {save.outcome}", save)


def _nothing_refused_in_time(history: History, submits: dict[str, list[Submit]]) -> Iterator[Violation]:
    begun = {
        attempt: min((one.call.began for one in sent), default=float("inf"))
        for attempt, sent in submits.items()
    }

    def is_open(attempt: Attempt, ended: float, grace: float = 0.0) -> bool:
        return ended < min(attempt.deadline + grace, begun.get(attempt.id, float("inf")))

    for save in history.saves:
        attempt = history.attempts[save.attempt]
        ended = save.call.ended
        if save.closes:
            too_early = save.code == "time_limit_exceeded" and ended < attempt.deadline + attempt.grace
        elif save.code == "already_submitted":
            too_early = is_open(attempt, ended, attempt.grace)
        else:
            too_early = save.code == "time_limit_exceeded" and is_open(attempt, ended)
        if too_early:
            yield _of(attempt, "refused in time", f"a save got {save.code}", save)
    for resume in history.resumes:
        if resume.call.status in (404, 410) and resume.attempt:
            attempt = history.attempts[resume.attempt]
            if is_open(attempt, resume.call.ended):
                yield _of(attempt, "refused in time", f"a resume got {resume.call.status}", resume)


def _submits_agree(history: History, submits: dict[str, list[Submit]]) -> Iterator[Violation]:
    for attempt_id, sent in submits.items():
        attempt, answered = history.attempts[attempt_id], [one for one in sent if one.call.ok]
        for one in answered[1:]:
            if one.told != answered[0].told:
                detail = f"submitted again it told {one.told}, before {answered[0].told}"
                yield _of(attempt, "a submit changed", detail, one)
        last = attempt.deadline + attempt.grace
        for one in answered:
            if one.closed_as == "expired" and one.call.ended < last:
                yield _of(attempt, "refused in time", "a submit found it expired", one)
            if one.closed_as == "submitted" and min(each.call.began for each in sent) > last + TICK:
                yield _of(attempt, "taken after the deadline", "a submit after the grace", one)


def _rows(history: History, ending: Ending) -> Iterator[Violation]:
    windows = {window.exam: window for window in ending.windows}
    rows = {row.id: row for row in ending.attempts}
    for attempt_id, attempt in history.attempts.items():
        row = rows.get(attempt_id)
        if row is None:
            yield Violation("acknowledged is lost", f"attempt {attempt_id}", "it is not there at the end")
        elif abs(row.deadline - attempt.deadline) > TICK:
            yield Violation("a deadline moved", f"attempt {attempt_id}", f"by {row.deadline} at the end")
    following = dict(_in_a_row(ending))
    for row in rows.values():
        for rule, detail in _row(row, windows[row.exam], following.get(row.id)):
            yield Violation(rule, f"attempt {row.id}", detail)


def _row(row: AttemptRow, window: Window, after: AttemptRow | None) -> Iterator[tuple[str, str]]:
    last = row.deadline + row.grace
    if abs(row.deadline - min(row.started_at + window.duration, window.ends)) > TICK:
        yield "a deadline moved", f"{row.deadline} is not the end of its time"
    if row.closed_at is None or row.status not in ("submitted", "expired"):
        yield "an attempt is stuck", f"{row.status} at the end"
        return
    # Who begins the next attempt gives up what is left of the grace.
    given_up = after is not None and after.started_at - row.closed_at < LATE_ARRIVALS
    if row.status == "expired" and row.closed_at < (row.deadline if given_up else last):
        yield "closed before its time", f"expired at {row.closed_at}, its last moment is {last}"
    if row.status == "submitted" and row.closed_at > last + LATE_ARRIVALS + TICK:
        yield "taken after the deadline", f"submitted {row.closed_at - last:.3f} s late"
    if row.status == "expired" and row.closed_at > last + LATE_ARRIVALS + SWEPT_WITHIN:
        yield "an attempt is stuck", f"closed only {row.closed_at - last:.0f} s after its time"


def _one_at_a_time(ending: Ending) -> Iterator[Violation]:
    rows = {row.id: row for row in ending.attempts}
    for attempt_id, after in _in_a_row(ending):
        closed_at = rows[attempt_id].closed_at
        if closed_at is None or closed_at > after.started_at:
            yield Violation("two attempts at once", f"attempt {after.id}", f"beside {attempt_id}")


def _in_a_row(ending: Ending) -> Iterator[tuple[str, AttemptRow]]:
    """Each attempt that has one after it, of the same student at the same exam."""
    sittings: dict[tuple[str, str], list[AttemptRow]] = defaultdict(list)
    for row in ending.attempts:
        sittings[row.student, row.exam].append(row)
    for rows in sittings.values():
        for before, after in pairwise(sorted(rows, key=lambda row: row.started_at)):
            yield before.id, after


def _same_paper(history: History) -> Iterator[Violation]:
    for resume in history.resumes:
        if resume.questions is not None and resume.questions != history.attempts[resume.attempt].questions:
            attempt = history.attempts[resume.attempt]
            yield _of(attempt, "the paper changed", "resume shows other questions or letters", resume)


def _of(attempt: Attempt, rule: str, detail: str, what: Save | Submit | Resume) -> Violation:
    return Violation(rule, f"attempt {attempt.id}", detail, what.call.ended)


def unknown_attempts(history: History, ending: Ending) -> Sequence[AttemptRow]:
    """Those of which no student ever heard: their start was never answered."""
    return [row for row in ending.attempts if row.id not in history.attempts]
