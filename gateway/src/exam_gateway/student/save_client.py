"""Saves on their way to exam: those that wait while calls are in flight go together in the next one.

No timers: an idle system sends each save at once, a busy one batches by itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import msgspec
import structlog
from examkit import telemetry
from examkit.errors import AppError, Kind, internal, unavailable
from examkit.rpc.client import call
from examprotos.exam.v1 import attempts_pb2

from exam_gateway import metrics
from exam_gateway.student.answers import Fields, have_revisions

CALL_SECONDS = 4.0
MAX_ELAPSED_MS = 60_000
REJOIN_SECONDS = 0.03
"""After which a save goes again that was set aside: somebody held its attempt, and no other waits for it."""
REJOIN_MOST_SECONDS = 0.5
"""So long it waits at the most: each time twice as long as before."""
MOST_WAIT_SECONDS = 4.0
"""Later it is told 503. Below the 5 s that a request may have waited when exam judges its time: a save that
came in time must not be called late for the time that it lay here."""

log = structlog.get_logger(__name__)

SaveBatch = grpc.aio.UnaryUnaryMultiCallable[attempts_pb2.SaveBatchRequest, attempts_pb2.SaveBatchResponse]
Verdict: TypeAlias = "asyncio.Future[attempts_pb2.AttemptSaveResult]"


class Save(msgspec.Struct, frozen=True):
    """One student's request that came in at `received` (`time.monotonic()`), about `size` bytes."""

    token: str
    student_exam_id: str
    answers: Sequence[Fields]
    received: float
    size: int

    def fields(self, now: float) -> Fields:
        """Those of an AttemptSave that leaves now."""
        elapsed_ms = min(MAX_ELAPSED_MS, max(0, int((now - self.received) * 1000)))
        return {
            "token": self.token,
            "student_exam_id": self.student_exam_id,
            "answers": self.answers,
            "elapsed_ms": elapsed_ms,
        }


@dataclass(slots=True, eq=False)
class _Waiting:
    save: Save
    verdict: Verdict
    place: telemetry.TraceContext | None
    times_aside: int = 0


class SaveClient:
    """Natural batching: at most `in_flight` calls at a time, at most `capacity` saves (and bytes) waiting.

    After a call that was not answered in time no more than the next batch may wait, until one is answered.
    """

    def __init__(
        self,
        method: SaveBatch,
        *,
        in_flight: int = 2,
        batch: int = 500,
        batch_bytes: int = 8 * 1024 * 1024,
        capacity: int = 5_000,
        capacity_bytes: int = 128 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._method = method
        self._free = in_flight
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._aside = 0
        self._silent = False
        self._tasks: set[asyncio.Task[None]] = set()

    def save(self, save: Save) -> Verdict:
        """The verdicts to come, which may be a fault of the attempt (`unfaulted`).

        Raises unavailable when too many wait.
        """
        if self._is_full(save):
            metrics.saves_refused.inc()
            raise unavailable("Too many saves are waiting. Keep the answer and try again.", retry_after=1.0)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(save, loop.create_future(), telemetry.recorded())
        self._bytes += save.size
        self._join(waiting)
        return waiting.verdict

    def _is_full(self, save: Save) -> bool:
        capacity = min(self._capacity, self._batch) if self._silent else self._capacity
        here = len(self._waiting) + self._aside
        return here >= capacity or self._bytes + save.size > self._capacity_bytes

    def _join(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        if self._free:
            self._free -= 1
            # In a context of its own: what goes along is for many students, and belongs to none of them.
            task = asyncio.get_running_loop().create_task(self._drain(), context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch = self._take()
                places = [waiting.place for waiting in batch]
                with telemetry.batch_span("batch of saves", len(batch), places):
                    await self._send_all(batch)
        finally:
            self._free += 1

    async def _send_all(self, batch: list[_Waiting]) -> None:
        try:
            for part in _by_repeatability(batch):
                await self._send(part)
        except asyncio.CancelledError:
            _fail(batch, unavailable("The server is stopping. Keep the answer and try again."))
            raise

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        size = 0
        while self._waiting and len(taken) < self._batch:
            size += self._waiting[0].save.size
            if taken and size > self._batch_bytes:
                break
            taken.append(self._waiting.popleft())
        self._bytes -= sum(waiting.save.size for waiting in taken)
        metrics.saves_waiting.set(len(self._waiting))
        return self._still_in_time(taken)

    def _still_in_time(self, taken: list[_Waiting]) -> list[_Waiting]:
        """Without those whom nobody waits for any more, and those that have lain here too long."""
        oldest = self._clock() - MOST_WAIT_SECONDS
        late = [waiting for waiting in taken if waiting.save.received < oldest]
        _fail(late, unavailable("The save could not be passed on. Keep the answer and try again."))
        metrics.saves_refused.inc(len(late))
        return [waiting for waiting in taken if not waiting.verdict.done()]

    def _request(self, batch: list[_Waiting]) -> attempts_pb2.SaveBatchRequest:
        now = self._clock()
        saves: Any = [waiting.save.fields(now) for waiting in batch]
        return attempts_pb2.SaveBatchRequest(saves=saves)

    async def _send(self, batch: list[_Waiting]) -> None:
        metrics.save_batch_size.observe(len(batch))
        started = self._clock()
        try:
            response = await call(
                self._method,
                lambda: self._request(batch),
                timeout=CALL_SECONDS,
                # A save without a revision takes the next one each time it arrives.
                idempotent=have_revisions(batch[0].save.answers),
                token="",
            )
            if len(response.results) != len(batch):
                raise internal()
        except AppError as error:
            self._silent = self._clock() - started >= CALL_SECONDS
            _fail(batch, error)
        except Exception:
            log.exception("save_batch_failed")
            _fail(batch, internal())
        else:
            self._silent = False
            for waiting, result in zip(batch, response.results, strict=True):
                if result.set_aside and self._clock() - waiting.save.received < MOST_WAIT_SECONDS:
                    self._set_aside(waiting)
                elif not waiting.verdict.done():
                    waiting.verdict.set_result(result)

    def _set_aside(self, waiting: _Waiting) -> None:
        """It counts as one that waits, and asks again less and less often."""
        pause = min(REJOIN_MOST_SECONDS, REJOIN_SECONDS * 2**waiting.times_aside)
        waiting.times_aside += 1
        self._aside += 1
        self._bytes += waiting.save.size
        spread = 0.5 + random.random()  # noqa: S311
        asyncio.get_running_loop().call_later(pause * spread, self._rejoin, waiting)

    def _rejoin(self, waiting: _Waiting) -> None:
        self._aside -= 1
        self._join(waiting)


def _by_repeatability(batch: list[_Waiting]) -> Iterator[list[_Waiting]]:
    """Apart, so that one save without a revision does not take the second try from all others."""
    with_revisions = [waiting for waiting in batch if have_revisions(waiting.save.answers)]
    if with_revisions:
        yield with_revisions
    if len(with_revisions) < len(batch):
        yield [waiting for waiting in batch if not have_revisions(waiting.save.answers)]


def _fail(batch: list[_Waiting], error: AppError) -> None:
    for waiting in batch:
        if not waiting.verdict.done():
            # One each: exceptions carry the traceback of whoever raised them.
            waiting.verdict.set_exception(
                AppError(
                    error.kind,
                    error.code,
                    error.detail,
                    errors=error.errors,
                    extra=error.extra,
                    retry_after=error.retry_after,
                )
            )


def unfaulted(result: attempts_pb2.AttemptSaveResult) -> attempts_pb2.AttemptSaveResult:
    """Raises the fault of the whole attempt, if there is one."""
    if not result.HasField("fault"):
        return result
    fault = result.fault
    try:
        kind = Kind(fault.kind.lower())
    except ValueError:
        raise internal() from None
    raise AppError(kind, fault.code, fault.detail, retry_after=fault.retry_after_seconds or None)
