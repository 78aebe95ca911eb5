"""Signs of life: what succeeds only where a part of the system works."""

from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.ending import Ending
from tests.chaos.history import Call, History
from tests.chaos.violation import Violation

SECOND_SAVE, SECOND_LOGIN = "a save by the second gateway", "a login by the second gateway"
SIGN_OF = {
    "exam": "a save",
    "gateway": "a save",
    "postgres": "a save",
    "auth": "a login",
    "import": "an import",
    "grading": "a grade",
    "rabbitmq": "a grade",
    "exam 2": SECOND_SAVE,
    "gateway 2": SECOND_SAVE,
    "grading 2": "a grade",
    "gateway to exam": SECOND_SAVE,
    "gateway to auth": SECOND_LOGIN,
    "exam to postgres": SECOND_SAVE,
    "exam to rabbitmq": "a grade",
    "grading to postgres": "a grade",
    "grading to rabbitmq": "a grade",
}
SILENT_FOR = 45.0
"""Seconds after which silence is no matter of time any more: longer than a storm and the calm behind it."""


def signs(history: History) -> dict[str, list[Call]]:
    """The requests that succeeded, by what they are a sign of, in the order in which they began."""
    found = {name: [call for call, ok in tried if ok] for name, tried in _tried(history).items()}
    found["a grade"] = [submit.call for submit in history.submits if submit.graded]
    return {name: sorted(calls, key=lambda call: call.began) for name, calls in found.items()}


def _tried(history: History) -> dict[str, list[tuple[Call, bool]]]:
    """What is asked again and again for as long as the run lasts, and whether it succeeded."""
    saves = [(save.call, save.is_acknowledged) for save in history.saves if not save.closes]
    logins = [(call, call.ok) for call in history.calls if call.name == "login"]
    return {
        "a save": [one for one in saves if not one[0].door],
        SECOND_SAVE: [one for one in saves if one[0].door],
        "a login": [one for one in logins if not one[0].door],
        SECOND_LOGIN: [one for one in logins if one[0].door],
        # Import is asked for a job that it does not have.
        "an import": [(call, call.status == 404) for call in history.calls if call.name == "import"],
    }


def check_signs(history: History, ending: Ending) -> Iterator[Violation]:
    """Nothing is away for longer than faults and healing can explain."""
    for name, tried in _tried(history).items():
        moments = [call.ended for call, ok in tried if ok]
        moments += [max((call.began for call, _ in tried), default=0.0)]
        for before, after in pairwise(sorted(moments)):
            if after - before > SILENT_FOR:
                yield Violation("it did not heal", name, f"none for {after - before:.0f} s", before)
    graded_at = {grade.attempt: grade.graded_at for grade in ending.grades}
    for attempt in ending.attempts:
        if attempt.closed_at is not None and attempt.id in graded_at:
            waited = graded_at[attempt.id] - attempt.closed_at
            if waited > SILENT_FOR:
                detail = f"its grade took {waited:.0f} s"
                yield Violation("it did not heal", f"attempt {attempt.id}", detail, attempt.closed_at)
