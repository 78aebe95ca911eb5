"""Background work of a process: what a worker is, and who starts it anew when it fails."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import Counter

from examkit.database_errors import DatabaseAway

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that ran this long before it failed starts again from the shortest pause."""

crashes = Counter("examhall_worker_crashes", "Workers that ended by an exception", ("worker",))

log = structlog.get_logger(__name__)


class Worker(Protocol):
    """Something that runs for as long as the process: a relay, a consumer, a sweeper.

    `run()` works until it is cancelled, which is how it is stopped: after the gRPC server has drained,
    so that what the last calls left behind can still be done. A worker must be safe to cancel at any
    await (a transaction rolls back, a message is redelivered); one that wants to finish a step first
    catches the CancelledError, finishes within the grace period and raises it again.
    `run()` that returns is started again as if it had failed.
    """

    @property
    def name(self) -> str: ...

    async def run(self) -> None: ...


@dataclass(frozen=True)
class FunctionWorker:
    """A worker made of a function that runs until cancelled."""

    name: str
    function: Callable[[], Awaitable[None]]

    async def run(self) -> None:
        await self.function()


def periodic(name: str, seconds: float, step: Callable[[], Awaitable[object]]) -> FunctionWorker:
    """A worker that takes a step, waits `seconds`, and takes the next. A failed step is logged, not fatal.

    That Postgres is away is said once, until a step succeeds.
    """

    async def run() -> None:
        away = False
        while True:
            try:
                await step()
                away = False
            except DatabaseAway:
                crashes.labels(name).inc()
                if not away:
                    log.warning("worker_waits_for_postgres", worker=name)
                away = True
            except Exception:
                crashes.labels(name).inc()
                log.exception("worker_step_failed", worker=name)
            await asyncio.sleep(seconds)

    return FunctionWorker(name, run)


class Supervisor:
    """Runs workers side by side. One that fails is logged and started again, after a pause that grows."""

    def __init__(
        self,
        workers: Iterable[Worker],
        *,
        first_pause: float = FIRST_PAUSE_SECONDS,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        self._workers = tuple(workers)
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(worker), name=worker.name) for worker in self._workers]

    async def stop(self, grace: float = 10.0) -> None:
        """Cancels every worker and waits until they have ended, `grace` seconds at the most."""
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace)
        for task in late:
            log.error("worker_did_not_stop", worker=task.get_name())
        self._tasks = []

    async def _keep(self, worker: Worker) -> None:
        pause = self._first_pause
        while True:
            started = time.monotonic()
            try:
                await worker.run()
                log.error("worker_ended", worker=worker.name)
            except Exception:
                log.exception("worker_crashed", worker=worker.name)
            crashes.labels(worker.name).inc()
            if time.monotonic() - started > STEADY_SECONDS:
                pause = self._first_pause
            await asyncio.sleep(pause * (0.8 + 0.4 * random.random()))  # noqa: S311 - jitter
            pause = min(pause * 2, self._longest_pause)
