"""Waiting for grades: told of those that this process gives, and one query each 50 ms for all others."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from uuid import UUID

import structlog
from examkit.db import Database
from examkit.errors import AppError

from grading_service.repository import grade_batches
from grading_service.repository.grade_batches import Attempt

POLL_SECONDS = 0.05
MOST_WAITING = 2_000
MOST_REMEMBERED = 5_000

log = structlog.get_logger(__name__)


class GradeWaiters:
    """Those who wait for a grade. A worker: `run()` until cancelled; it sleeps while nobody waits."""

    name = "grade-waiters"

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[Attempt, list[tuple[int, asyncio.Event]]] = {}
        self._given: OrderedDict[Attempt, int] = OrderedDict()
        self._count = 0
        self._somebody = asyncio.Event()

    async def wait(self, student_id: UUID, student_exam_id: UUID, version: int, seconds: float) -> None:
        """Until this version of the attempt is graded, at most so long; at once when too many wait."""
        attempt = (student_id, student_exam_id)
        if self._given.get(attempt, -1) >= version or self._count >= MOST_WAITING or seconds <= 0:
            return
        graded = asyncio.Event()
        waiter = (version, graded)
        self._waiting.setdefault(attempt, []).append(waiter)
        self._count += 1
        self._somebody.set()
        try:
            await asyncio.wait_for(graded.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._leave(attempt, waiter)

    def tell(self, graded: Mapping[Attempt, int]) -> None:
        """These attempts are graded up to these versions, and committed."""
        for attempt, version in graded.items():
            self._given[attempt] = max(version, self._given.pop(attempt, version))
        while len(self._given) > MOST_REMEMBERED:
            self._given.popitem(last=False)
        self._wake(graded)

    def _leave(self, attempt: Attempt, waiter: tuple[int, asyncio.Event]) -> None:
        self._count -= 1
        others = self._waiting[attempt]
        others.remove(waiter)
        if not others:
            del self._waiting[attempt]

    async def run(self) -> None:
        while True:
            self._somebody.clear()
            if self._waiting:
                await self._look()
                await asyncio.sleep(POLL_SECONDS)
            else:
                await self._somebody.wait()

    async def _look(self) -> None:
        try:
            async with self._db.reading() as conn:
                versions = await grade_batches.versions(conn, self._waiting)
        except AppError as error:
            log.warning("grades_not_polled", reason=error.detail)
            return
        self._wake(versions)

    def _wake(self, graded: Mapping[Attempt, int]) -> None:
        for attempt, version in graded.items():
            for wanted, event in self._waiting.get(attempt, ()):
                if version >= wanted:
                    event.set()
