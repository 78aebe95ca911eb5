"""Until when an attempt may be written in, as far as that can be known while extra time is being granted.

A grant counts from its acknowledgement on for certain, and may count from the moment it was asked for.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

from tests.chaos.ending import AttemptRow, Window
from tests.chaos.history import Attempt, Grant, History

TICK = 0.005
"""Seconds that times on the wire may be off by, being written in milliseconds."""


class Deadlines:
    """Of all attempts of a run, by its windows and grants."""

    def __init__(self, history: History, windows: Sequence[Window]) -> None:
        self._windows = {window.exam: window for window in windows}
        self._grants: dict[tuple[str, str], list[Grant]] = defaultdict(list)
        for grant in history.grants:
            self._grants[grant.student, grant.exam].append(grant)

    def at_least(self, attempt: Attempt | AttemptRow, moment: float) -> float:
        """With what was acknowledged by then."""
        return self._with(attempt, self._most(attempt, lambda one: one.call.ok and one.call.ended <= moment))

    def at_most(self, attempt: Attempt | AttemptRow, moment: float) -> float:
        """With what was asked for by then."""
        return self._with(attempt, self._most(attempt, lambda one: one.call.began <= moment))

    def may_be(self, attempt: Attempt | AttemptRow, shown: float, between: tuple[float, float]) -> bool:
        """Whether this can be its deadline at some time between these two moments."""
        begun, ended = between
        lowest, highest = self.at_least(attempt, begun), self.at_most(attempt, ended)
        granted = {0, *(one.percent for one in self._grants[attempt.student, attempt.exam])}
        possible = [self._with(attempt, percent) for percent in granted]
        return any(abs(shown - one) <= TICK for one in possible if lowest <= one <= highest)

    def _most(self, attempt: Attempt | AttemptRow, counts: Callable[[Grant], bool]) -> int:
        grants = self._grants[attempt.student, attempt.exam]
        return max((one.percent for one in grants if counts(one)), default=0)

    def _with(self, attempt: Attempt | AttemptRow, percent: int) -> float:
        window = self._windows[attempt.exam]
        extra = window.duration * percent / 100
        return min(attempt.started_at + window.duration, window.ends) + extra
