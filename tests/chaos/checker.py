"""Holds a history against its end: every broken promise that the two together can show."""

from collections.abc import Iterator

from tests.chaos.answers import check_answers
from tests.chaos.attempts import check_attempts, unknown_attempts
from tests.chaos.ending import Ending
from tests.chaos.grades import check_grades
from tests.chaos.history import Call, History
from tests.chaos.signs import check_signs
from tests.chaos.violation import Violation
from tests.harness.oracle import Authored

# What a client may meet with, faults or not: its status and the problem's code. No answer is always possible.
_EXPECTED: dict[str, set[tuple[int, str]]] = {
    "login": {(200, "")},
    "start": {(201, ""), (403, "exam_not_open"), (409, "already_started")},
    "resume": {(200, ""), (404, "not_found"), (410, "time_limit_exceeded")},
    "save": {(200, ""), (400, "time_limit_exceeded"), (409, "conflict"), (409, "already_submitted")},
    "saves": {(200, ""), (400, "time_limit_exceeded"), (409, "already_submitted")},
    "submit": {(200, "")},
    "events": {(202, "")},
    "grant": {(200, "")},
    "result": {(200, "")},
    "import": {(404, "not_found")},
}
_AWAY = (503, "unavailable")


def check(history: History, ending: Ending, bank: dict[str, Authored]) -> list[Violation]:
    """All violations, those that showed first in front."""
    found = [
        *check_answers(history, ending),
        *check_attempts(history, ending),
        *check_grades(history, ending, bank),
        *_calls(history),
        *_starts(history, ending),
        *check_signs(history, ending),
        *_rest(ending),
    ]
    return sorted(found, key=lambda violation: violation.at)


def _calls(history: History) -> Iterator[Violation]:
    for call in history.calls:
        if call.status and not _is_expected(call):
            detail = f"{call.status} {call.code}"
            yield Violation("an unexpected answer", call.name, detail, call.ended)


def _is_expected(call: Call) -> bool:
    said = (call.status, call.code)
    return said == _AWAY or said in _EXPECTED[call.name]


def _starts(history: History, ending: Ending) -> Iterator[Violation]:
    """Of an attempt that no student knows there must be a start without an answer."""
    lost = [(start.student, start.exam) for start in history.starts if start.call.is_unknown]
    for row in unknown_attempts(history, ending):
        if (row.student, row.exam) in lost:
            lost.remove((row.student, row.exam))
        else:
            yield Violation("an attempt nobody started", f"attempt {row.id}", f"of student {row.student}")


def _rest(ending: Ending) -> Iterator[Violation]:
    """It healed by itself: everybody is ready, and nothing lies around."""
    if ending.settled_in is None:
        yield Violation("it did not heal", "the system", "it came not to rest in the time it had")
    for name in ending.not_ready:
        yield Violation("it did not heal", name, "not ready at the end")
    for name, (before, after) in ending.consumers.items():
        if after != before:
            yield Violation("it did not heal", f"queue {name}", f"{after} of {before} consumers at the end")
    for name, count in ending.queues.items():
        if count:
            yield Violation("something is left", f"queue {name}", f"{count} messages")
    for name, count in ending.outboxes.items():
        if count:
            yield Violation("something is left", f"outbox of {name}", f"{count} events")
