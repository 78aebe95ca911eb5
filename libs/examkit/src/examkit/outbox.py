"""The relay: takes committed events from the outbox to the broker, so that no crash in between loses one."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import Any, TypeGuard

import sqlalchemy as sa
import structlog
from prometheus_client import Counter, Gauge, Histogram

from examkit import telemetry
from examkit.bus import BrokerAway, BrokerRefuses, Bus
from examkit.db import Database
from examkit.errors import AppError
from examkit.events import Envelope
from examkit.pauses import Pauses

MOST_ASIDE = 100
"""Where the broker refuses more than these, it is no event that is at fault: all wait."""

_log = structlog.get_logger(__name__)
_pending = Gauge(
    "examhall_outbox_pending",
    "Committed events that the broker has not confirmed; take the max over processes",
    ["source"],
)
_oldest = Gauge(
    "examhall_outbox_oldest_seconds",
    "Age of the oldest of them, 0 without any; take the max over processes",
    ["source"],
)
_published = Counter("examhall_outbox_published", "Events that the broker has confirmed", ["source"])
_failures = Counter("examhall_outbox_failures", "Batches that were not published whole", ["source"])
_refused = Counter(
    "examhall_outbox_refused",
    "Times that the broker refused an event on its own, and it was put aside",
    ["source"],
)
_aside_now = Gauge(
    "examhall_outbox_aside", "Events that this process's relay has put aside for now", ["source"]
)
_delay = Histogram(
    "examhall_outbox_delay_seconds",
    "From the writing of an event to its confirmation by the broker",
    ["source"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600),
)

_TAKE = sa.text(
    """
    SELECT position, id, type, subject, time, body, traceparent,
           extract(epoch FROM clock_timestamp() - written_at)::float8 AS age
    FROM outbox WHERE position <> ALL (CAST(:aside AS bigint[]))
    ORDER BY position LIMIT :batch FOR UPDATE SKIP LOCKED
    """
)
_DROP = sa.text("DELETE FROM outbox WHERE position = ANY (CAST(:positions AS bigint[]))")
_MEASURE = sa.text(
    """
    SELECT count(*) AS pending,
           coalesce(extract(epoch FROM clock_timestamp() - min(written_at)), 0)::float8 AS oldest
    FROM outbox
    """
)


class Relay:
    """A worker that empties the outbox. Several may run: each row is taken by one of them at a time.

    One relay publishes in the order of writing; several may overtake each other. An event that the broker
    refuses is put aside, and tried again now and then (10 s later, then less and less often).
    """

    def __init__(
        self,
        db: Database,
        bus: Bus,
        source: str,
        *,
        batch: int = 200,
        poll: float = 1.0,
        mandatory: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source`: the service, e.g. `exam` or `/examhall/exam`; `poll`: seconds between two looks where no
        commit of this process wakes it; `mandatory`: types that stay in the outbox until some queue is bound
        (a live listener's counts too).
        """
        self.name = "relay"
        self._db = db
        self._bus = bus
        self._source = source if source.startswith("/") else f"/examhall/{source}"
        self._batch = batch
        self._poll = poll
        self._mandatory = frozenset(mandatory)
        self._clock = clock
        self._aside: Pauses[int] = Pauses()
        self._woken = asyncio.Event()
        db.add_commit_listener(self.wake)

    def wake(self) -> None:
        """Look at once. Every commit of the database that published something calls it."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; while the broker or Postgres is away, wait and try again."""
        measuring = asyncio.create_task(self._measure())
        try:
            await self._relay()
        finally:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)

    async def _relay(self) -> None:
        pause = 0.1
        while True:
            self._woken.clear()
            try:
                taken = await self.publish_batch()
                pause = 0.1
            except AppError as error:
                _log.warning("relay_waits", cause=repr(error.__cause__ or error))
                _failures.labels(self._source).inc()
                await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter
                pause = min(pause * 2, 5.0)
                continue
            if taken < self._batch:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._woken.wait()

    async def publish_batch(self) -> int:
        """Publish the oldest rows that nobody else has, and delete those that were confirmed.

        Returns how many it took. Raises BrokerAway or DatabaseAway; what was not confirmed then stays.
        """
        await self._bus.ready()  # without a broker no rows are locked
        async with self._db.transaction() as tx:
            aside = list(self._aside.resting(self._clock()))
            rows = (await tx.conn.execute(_TAKE, {"batch": self._batch, "aside": aside})).all()
            if not rows:
                return 0
            results = await self._publish(rows)
            if any(map(_is_refusal, results)):
                results = await self._publish_one_by_one(rows, results)
            sent = [row.position for row, result in zip(rows, results, strict=True) if result is None]
            await tx.conn.execute(_DROP, {"positions": sent})
        self._count(rows, results)
        for row, result in zip(rows, results, strict=True):
            if _is_refusal(result):
                self._put_aside(row, result)
            elif result is not None:
                raise result
        return len(rows)

    async def _publish(self, rows: Sequence[sa.Row[Any]]) -> list[BaseException | None]:
        with ExitStack() as spans:
            envelopes = [self._envelope(row, spans) for row in rows]
            return await self._bus.publish_all(envelopes, mandatory=self._mandatory)

    async def _publish_one_by_one(
        self, rows: Sequence[sa.Row[Any]], results: Sequence[BaseException | None]
    ) -> list[BaseException | None]:
        """What was not confirmed, each by itself: one that is refused had taken the line from the others."""
        alone = [*results]
        for place, row in enumerate(rows):
            if alone[place] is None:
                continue
            (result,) = await self._publish([row])
            alone[place] = result
            if result is not None and not _is_refusal(result):
                return [*alone[:place], *(kept and result for kept in alone[place:])]
        return alone

    def _put_aside(self, row: sa.Row[Any], refusal: Exception) -> None:
        """Raises the refusal where so many are refused that the fault is elsewhere."""
        now = self._clock()
        if len(self._aside.resting(now)) >= MOST_ASIDE:
            raise refusal
        self._aside.failed(row.position, now)
        cause = repr(refusal.__cause__ or refusal)
        _log.error("event_refused", event_id=str(row.id), type=row.type, subject=row.subject, cause=cause)
        _refused.labels(self._source).inc()

    def _envelope(self, row: sa.Row[Any], spans: ExitStack) -> Envelope:
        """The event, in a span of its own where its trace is recorded."""
        traceparent, parent = row.traceparent, telemetry.parse(row.traceparent)
        if parent is not None and telemetry.is_recorded(parent):
            spans.enter_context(telemetry.span(f"publish {row.type}", "producer", parent=parent))
            traceparent = telemetry.traceparent()
        return Envelope(str(row.id), row.type, self._source, row.subject, row.time, row.body, traceparent)

    def _count(self, rows: Sequence[sa.Row[Any]], results: Sequence[BaseException | None]) -> None:
        delay = _delay.labels(self._source)
        for row, result in zip(rows, results, strict=True):
            if result is None:
                delay.observe(row.age)
        _published.labels(self._source).inc(results.count(None))

    async def _measure(self) -> None:
        while True:
            with contextlib.suppress(AppError):
                async with self._db.reading() as conn:
                    row = (await conn.execute(_MEASURE)).one()
                _pending.labels(self._source).set(row.pending)
                _oldest.labels(self._source).set(row.oldest)
            _aside_now.labels(self._source).set(len(self._aside.resting(self._clock())))
            await asyncio.sleep(10)


def _is_refusal(result: BaseException | None) -> TypeGuard[Exception]:
    """Whether it was for the event: the broker does not want it, or no message could be made of it."""
    if isinstance(result, BrokerAway):
        return isinstance(result, BrokerRefuses)
    return isinstance(result, Exception)
