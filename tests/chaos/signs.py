"""Signs of life: what succeeds only where a part of the system works."""

from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.ending import Ending
from tests.chaos.history import Call, History
from tests.chaos.violation import Violation

SIGN_OF = {
    "exam": "a save",
    "gateway": "a save",
    "postgres": "a save",
    "auth": "a login",
    "import": "an import",
    "grading": "a grade",
    "rabbitmq": "a grade",
}
SILENT_FOR = 45.0
"""Seconds after which silence is no matter of time any more: longer than a storm and the calm behind it."""


def signs(history: History) -> dict[str, list[Call]]:
    """The requests that succeeded, by what they are a sign of, in the order in which they began."""
    found = {
        "a save": [save.call for save in history.saves if save.is_acknowledged and not save.closes],
        "a login": [call for call in history.calls if call.name == "login" and call.ok],
        # Import is asked for a job that it does not have.
        "an import": [call for call in history.calls if call.name == "import" and call.status == 404],
        "a grade": [submit.call for submit in history.submits if submit.graded],
    }
    return {name: sorted(calls, key=lambda call: call.began) for name, calls in found.items()}


def check_signs(history: History, ending: Ending) -> Iterator[Violation]:
    """Nothing is away for longer than faults and healing can explain."""
    last_try = {
        "a save": max((save.call.began for save in history.saves if not save.closes), default=0.0),
        "a login": max((call.began for call in history.calls if call.name == "login"), default=0.0),
        "an import": max((call.began for call in history.calls if call.name == "import"), default=0.0),
    }
    found = signs(history)
    for name, tried in last_try.items():
        moments = [*(call.ended for call in found[name]), tried]
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
