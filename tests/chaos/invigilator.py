"""Somebody on the staff who grants students extra time while they write and everything dies."""

import asyncio
import random
from collections.abc import Sequence

from tests.chaos.ending import Window
from tests.chaos.history import Attempt, Grant, now
from tests.chaos.scene import Scene

PERCENT, PERCENT_AT_THE_END = 10, 5
"""Of an exam's duration; less where the exam is one of the last, so that the run ends."""
_PATIENCE = 5
"""Times that a grant is asked for again whose answer did not come."""


def longest_extra(windows: Sequence[Window]) -> float:
    """Seconds by which a grant can put off the end of all exams."""
    return max(window.duration for window in windows) * PERCENT_AT_THE_END / 100


class Invigilator:
    """Grants each student at most one time at each exam."""

    def __init__(self, scene: Scene, token: str, seed: int) -> None:
        self._scene = scene
        self._line = scene.line()
        self._line.token = self.token = token
        self._chance = random.Random(f"{seed} invigilator")
        self._granted: set[tuple[str, str]] = set()

    async def work(self) -> None:
        """Until it is over."""
        while not self._scene.over.is_set():
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))
            attempts = self._in_progress()
            if attempts:
                await self._grant(self._chance.choice(attempts))
        await self._line.hang_up()

    def _in_progress(self) -> list[Attempt]:
        history = self._scene.history
        submitted = {submit.attempt for submit in history.submits}
        return [
            one
            for one in history.attempts.values()
            if now() < one.deadline - 1.0
            and one.id not in submitted
            and (one.student, one.exam) not in self._granted
        ]

    async def _grant(self, attempt: Attempt) -> None:
        self._granted.add((attempt.student, attempt.exam))
        percent = self._percent(attempt.exam)
        path = f"/admin/exams/{attempt.exam}/accommodations/{attempt.student}"
        for _ in range(_PATIENCE):
            call, _ = await self._line.call("grant", "PUT", path, {"extra_time_percent": percent})
            self._scene.history.grants.append(
                Grant(call=call, student=attempt.student, exam=attempt.exam, percent=percent)
            )
            if not call.is_unknown:
                return
            await asyncio.sleep(self._chance.uniform(0.1, 1.0))

    def _percent(self, exam: str) -> int:
        windows = self._scene.windows
        (window,) = (one for one in windows if one.exam == exam)
        last = max(one.ends for one in windows)
        return PERCENT if window.ends + window.duration * PERCENT / 100 <= last else PERCENT_AT_THE_END
