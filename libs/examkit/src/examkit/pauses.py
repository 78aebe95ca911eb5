"""What failed is left alone for a while, twice as long each time, and so keeps no other from its turn."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 3600.0


@dataclass(slots=True)
class _Pause:
    seconds: float
    until: float


class Pauses(Generic[T]):
    """Which of what failed has its pause now. `now` is any clock in seconds that only goes forward."""

    def __init__(self, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._pauses: dict[T, _Pause] = {}

    def failed(self, what: T, now: float) -> None:
        """Begin its pause: the first one, or one twice as long as the last."""
        last = self._pauses.get(what)
        seconds = self._first if last is None else min(2 * last.seconds, self._longest)
        self._pauses[what] = _Pause(seconds, now + seconds)

    def resting(self, now: float) -> frozenset[T]:
        """What has its pause. What did not fail for `longest` after its last one is forgotten."""
        for what in [what for what, pause in self._pauses.items() if pause.until + self._longest < now]:
            del self._pauses[what]
        return frozenset(what for what, pause in self._pauses.items() if pause.until > now)
