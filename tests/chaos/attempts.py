"""The rules of attempts: begun once, open until their time, closed once and for good."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.deadlines import TICK, Deadlines
from tests.chaos.ending import AttemptRow, Ending
from tests.chaos.history import Attempt, Call, History, Resume, Save, Submit
from tests.chaos.violation import Violation

LATE_ARRIVALS = 5.0
"""Seconds that a request may have waited inside, and that count as if it had not."""
SWEPT_WITHIN = 60.0
"""Seconds after its last moment by which the server has closed an attempt, whatever fell in between."""


def check_attempts(history: History, ending: Ending) -> Iterator[Violation]:
    """Every rule for every attempt."""
    submits: dict[str, list[Submit]] = defaultdict(list)
    for submit in history.submits:
        submits[submit.attempt].append(submit)
    deadlines = Deadlines(history, ending.windows)
    yield from _nothing_after_the_end(history, deadlines, submits)
    yield from _nothing_refused_in_time(history, deadlines, submits)
    yield from _submits_agree(history, deadlines, submits)
    yield from _shown_deadlines(history, deadlines)
    yield from _rows(history, ending, deadlines)
    yield from _one_at_a_time(ending)
    yield from _same_paper(history)


def _nothing_after_the_end(
    history: History, deadlines: Deadlines, submits: dict[str, list[Submit]]
) -> Iterator[Violation]:
    closed = {
        attempt: min((one.call.ended for one in sent if one.call.ok), default=float("inf"))
        for attempt, sent in submits.items()
    }
    for save in history.saves:
        attempt = history.attempts[save.attempt]
        if save.closes or save.outcome not in ("stored", "repeat", "superseded"):
            continue
        late = save.call.began - deadlines.at_most(attempt, save.call.ended)
        if late > TICK:
            yield _of(attempt, "taken after the deadline", f"a save, {late:.3f} s late", save)
        if save.call.began > closed.get(save.attempt, float("inf")):
            yield _of(attempt, "taken after the submit", f"a save was {save.outcome}", save)


def _nothing_refused_in_time(
    history: History, deadlines: Deadlines, submits: dict[str, list[Submit]]
) -> Iterator[Violation]:
    begun = {
        attempt: min((one.call.began for one in sent), default=float("inf"))
        for attempt, sent in submits.items()
    }

    def is_in_time(attempt: Attempt, call: Call, grace: float = 0.0) -> bool:
        return call.ended < deadlines.at_least(attempt, call.began) + grace

    def is_open(attempt: Attempt, call: Call, grace: float = 0.0) -> bool:
        return is_in_time(attempt, call, grace) and call.ended < begun.get(attempt.id, float("inf"))

    for save in history.saves:
        attempt, call = history.attempts[save.attempt], save.call
        if save.closes:
            too_early = save.code == "time_limit_exceeded" and is_in_time(attempt, call, attempt.grace)
        elif save.code == "already_submitted":
            too_early = is_open(attempt, call, attempt.grace)
        else:
            too_early = save.code == "time_limit_exceeded" and is_open(attempt, call)
        if too_early:
            yield _of(attempt, "refused in time", f"a save got {save.code}", save)
    for resume in history.resumes:
        if resume.call.status in (404, 410) and resume.attempt:
            attempt = history.attempts[resume.attempt]
            if is_open(attempt, resume.call):
                yield _of(attempt, "refused in time", f"a resume got {resume.call.status}", resume)


def _submits_agree(
    history: History, deadlines: Deadlines, submits: dict[str, list[Submit]]
) -> Iterator[Violation]:
    for attempt_id, sent in submits.items():
        attempt, answered = history.attempts[attempt_id], [one for one in sent if one.call.ok]
        for one in answered[1:]:
            if one.told != answered[0].told:
                detail = f"submitted again it told {one.told}, before {answered[0].told}"
                yield _of(attempt, "a submit changed", detail, one)
        first = min(each.call.began for each in sent)
        for one in answered:
            earliest = deadlines.at_least(attempt, one.call.began) + attempt.grace
            latest = deadlines.at_most(attempt, one.call.ended) + attempt.grace
            if one.closed_as == "expired" and one.call.ended < earliest:
                yield _of(attempt, "refused in time", "a submit found it expired", one)
            if one.closed_as == "submitted" and first > latest + TICK:
                yield _of(attempt, "taken after the deadline", "a submit after the grace", one)


def _shown_deadlines(history: History, deadlines: Deadlines) -> Iterator[Violation]:
    """A page is shown the deadline that holds, with all that was granted before it asked."""
    for resume in history.resumes:
        if resume.deadline is not None:
            attempt, call = history.attempts[resume.attempt], resume.call
            if not deadlines.may_be(attempt, resume.deadline, (call.began, call.ended)):
                yield _of(attempt, "a deadline moved", f"resume shows {resume.deadline}", resume)


def _rows(history: History, ending: Ending, deadlines: Deadlines) -> Iterator[Violation]:
    rows = {row.id: row for row in ending.attempts}
    for attempt_id in history.attempts.keys() - rows.keys():
        yield Violation("acknowledged is lost", f"attempt {attempt_id}", "it is not there at the end")
    following = dict(_in_a_row(ending))
    for row in rows.values():
        for rule, detail in _row(row, deadlines, following.get(row.id)):
            yield Violation(rule, f"attempt {row.id}", detail)


def _row(row: AttemptRow, deadlines: Deadlines, after: AttemptRow | None) -> Iterator[tuple[str, str]]:
    last = row.deadline + row.grace
    closed_at = float("inf") if row.closed_at is None else row.closed_at
    # What closes an attempt may have waited for its lock while extra time was granted.
    if not deadlines.may_be(row, row.deadline, (closed_at, closed_at + LATE_ARRIVALS)):
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
