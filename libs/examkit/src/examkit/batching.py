"""Natural batching: what waits while earlier runs are under way goes together in the next one.

No timers: an idle system runs each item at once, a busy one batches by itself.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog
from prometheus_client import Gauge, Histogram

from examkit import telemetry
from examkit.database_errors import DatabaseAway
from examkit.errors import unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = structlog.get_logger(__name__)
_sizes = Histogram(
    "examhall_batch_items", "Items in one run", ["batch"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
_depth = Gauge("examhall_batch_waiting", "Items that wait for the next run", ["batch"])


class SetAside(Exception):  # noqa: N818 - an outcome, not a failure
    """The outcome of an item that is to be run again, alone, once the others have theirs."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    result: asyncio.Future[Result]
    place: telemetry.TraceContext | None


@dataclass(slots=True, eq=False)
class _Lane(Generic[Item, Result]):
    """Items in the order in which they came; `free`: how many more runs may be under way for them."""

    free: int
    most: int
    waiting: deque[_Waiting[Item, Result]] = field(default_factory=deque)

    def take(self) -> list[_Waiting[Item, Result]]:
        """The next to run. Whose caller has given up is passed over."""
        taken: list[_Waiting[Item, Result]] = []
        while self.waiting and len(taken) < self.most:
            first = self.waiting.popleft()
            if not first.result.done():
                taken.append(first)
        return taken


class Batcher(Generic[Item, Result]):
    """Gathers items into runs, at most `in_flight` at a time, of at most `most` items; `capacity` may wait.

    `run` gives an outcome for each item, in order: its result, or the exception its caller gets. What it sets
    aside (`SetAside`), and every item of a run that fails as a whole, is run again alone, while batches go
    on: neither an item that poisons its batch nor one that is slow costs the others. Only where Postgres is
    away all are told at once. Runs belong to no request: nothing of a caller's context is there, but for
    the traces of those that are recorded.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        in_flight: int = 2,
        most: int = 100,
        capacity: int = 2_000,
    ) -> None:
        self._name = name
        self._sizes = _sizes.labels(name)
        self._depth = _depth.labels(name)
        self._run = run
        self._capacity = capacity
        self._together: _Lane[Item, Result] = _Lane(in_flight, most)
        self._alone: _Lane[Item, Result] = _Lane(in_flight, 1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def do(self, item: Item) -> Result:
        """The item's result, or its exception. Raises unavailable when too many wait.

        An item whose run has begun is seen through, even if the caller is cancelled.
        """
        if len(self._together.waiting) + len(self._alone.waiting) >= self._capacity:
            raise unavailable("Too many requests are waiting, try again.", retry_after=1.0)
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._put(self._together, _Waiting(item, result, telemetry.recorded()))
        return await result

    def _put(self, lane: _Lane[Item, Result], waiting: _Waiting[Item, Result]) -> None:
        lane.waiting.append(waiting)
        if lane.free:
            lane.free -= 1
            task = asyncio.create_task(self._drain(lane), context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _drain(self, lane: _Lane[Item, Result]) -> None:
        try:
            while batch := lane.take():
                self._sizes.observe(len(batch))
                self._depth.set(len(self._together.waiting) + len(self._alone.waiting))
                places = [waiting.place for waiting in batch]
                with telemetry.batch_span(f"batch of {self._name}", len(batch), places):
                    outcomes = await self._outcomes(batch)
                self._settle(batch, outcomes)
        finally:
            lane.free += 1

    async def _outcomes(self, batch: Sequence[_Waiting[Item, Result]]) -> Sequence[Result | Exception]:
        try:
            outcomes = await self._run([waiting.item for waiting in batch])
            if len(outcomes) != len(batch):
                raise RuntimeError("a run gives an outcome for each item")
            return outcomes
        except DatabaseAway as error:
            # One each: exceptions carry the traceback of whoever raised them.
            return [_caused(DatabaseAway(), error) for _ in batch]
        except Exception as error:
            if len(batch) == 1:
                return [error]
            _log.warning(
                "batch_failed_as_a_whole", batch=self._name, items=len(batch), cause=type(error).__name__
            )
            return [SetAside() for _ in batch]
        except asyncio.CancelledError:
            self._settle(batch, [unavailable("The server is stopping, try again.") for _ in batch])
            raise

    def _settle(
        self, batch: Sequence[_Waiting[Item, Result]], outcomes: Sequence[Result | Exception]
    ) -> None:
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, SetAside) and len(batch) > 1:
                self._put(self._alone, waiting)
            elif waiting.result.done():
                pass
            elif isinstance(outcome, Exception):
                waiting.result.set_exception(outcome)
            else:
                waiting.result.set_result(outcome)


def _caused(error: DatabaseAway, cause: DatabaseAway) -> DatabaseAway:
    error.__cause__ = cause
    return error
