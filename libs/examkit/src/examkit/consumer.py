"""A consumer: each event applied once, together with its inbox row, and acknowledged after the commit."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import Counter, Gauge, Histogram

from examkit import telemetry
from examkit.bundles import ATTEMPT, Carried, carried
from examkit.bus import Bus, keep_consuming, lost
from examkit.database_errors import Contended, DatabaseAway
from examkit.db import Database, Tx
from examkit.errors import AppError, Kind
from examkit.events import Delivery, MalformedEnvelope, RawMessage
from examkit.queue_gauges import keep_measuring
from examkit.topology import Topology

Handler = Callable[[Tx, Delivery], Awaitable[None]]
R = TypeVar("R")

DEFERRALS = "examhall-deferrals"
ERROR = "examhall-error"

# A quorum queue that is asked before it has elected its leader may never answer that one question.
_SETUP_TIMEOUT = 10.0

_log = structlog.get_logger(__name__)
outcomes = Counter(
    "examhall_deliveries",
    "Deliveries by outcome: applied, duplicate, retried, deferred, dead",
    ["queue", "outcome"],
)
_dead_letters = Counter("examhall_dead_letters", "Messages put into a dead-letter queue", ["queue"])
handler_seconds = Histogram(
    "examhall_handler_seconds",
    "Time to apply one delivery, or one batch of them",
    ["queue"],
    buckets=telemetry.LATENCY_BUCKETS,
)
_consuming = Gauge("examhall_consumer_connected", "Whether the consumer holds its queue", ["queue"])

_CLAIM = sa.text(
    "INSERT INTO inbox (consumer, event_id) VALUES (:consumer, :event_id) ON CONFLICT DO NOTHING"
)
_FORGET = sa.text(
    """
    DELETE FROM inbox WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM inbox
        WHERE consumer = :consumer AND received_at < now() - make_interval(secs => :age) LIMIT 5000))
    """
)


class Consumer:
    """A worker that applies what arrives in `queue`.

    What the handler raises decides what happens to the delivery:
    - `DatabaseAway`: nothing; it waits here until Postgres is back, however long that takes;
    - any other `unavailable` (a service it calls is away): back through a retry queue, and not counted;
    - everything else: counted, back through a retry queue after `delays` seconds, and after
      `max_attempts` into `<queue>.dead`.
    """

    def __init__(
        self,
        bus: Bus,
        db: Database,
        queue: str,
        bindings: Sequence[str],
        handler: Handler,
        *,
        prefetch: int = 50,
        max_attempts: int = 8,
        delays: Sequence[float] = (1.0, 10.0, 60.0),
        concurrency: int = 1,
        keep_inbox: timedelta = timedelta(days=30),
    ) -> None:
        """`concurrency`: how many deliveries are handled at a time; 1 keeps the order of the queue.

        `keep_inbox` must be longer than a message can lie anywhere, or a late second delivery is applied.
        """
        self.name = f"consumer {queue}"
        self._bus = bus
        self._db = db
        self._queue = queue
        self._topology = Topology(queue, tuple(bindings), tuple(delays))
        self._handler = handler
        self._prefetch = max(prefetch, concurrency)
        self._max_attempts = max_attempts
        self._concurrency = concurrency
        self._keep_inbox = keep_inbox
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether the queue is declared, bound and consumed now. Before the first time events pass it by."""
        return self._connected

    async def run(self) -> None:
        """Consume until cancelled. What was under way then is rolled back, and delivered again later."""
        beside = [
            asyncio.create_task(self._clean_inbox()),
            asyncio.create_task(keep_measuring(self._bus, self._topology)),
        ]
        try:
            await keep_consuming(self.name, self._session)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _session(self) -> None:
        async with self._bus.channel(prefetch=self._prefetch) as channel:
            arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

            async def arrive(message: AbstractIncomingMessage) -> None:
                arrived.put_nowait(message)

            async with asyncio.timeout(_SETUP_TIMEOUT):
                queue = await self._topology.declare(channel)
            tasks = [asyncio.create_task(lost(channel))]
            tasks += [asyncio.create_task(self.work(arrived)) for _ in range(self._concurrency)]
            try:
                async with asyncio.timeout(_SETUP_TIMEOUT):
                    await queue.consume(arrive)
                self._tell(connected=True)
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                done.pop().result()
            finally:
                self._tell(connected=False)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, *, connected: bool) -> None:
        self._connected = connected
        _consuming.labels(self._queue).set(connected)

    async def work(self, arrived: asyncio.Queue[AbstractIncomingMessage]) -> None:
        """Take what arrives on one channel, until cancelled."""
        while True:
            await self.process(await arrived.get())

    async def process(self, message: AbstractIncomingMessage) -> None:
        """See one message through. It is acknowledged only once the effect, or the next hop, of every event
        in it is safe.
        """
        try:
            events = events_of(message)
        except MalformedEnvelope as error:
            outcome = await self._bury(RawMessage.of(message), error)
            outcomes.labels(self._queue, outcome).inc()
        else:
            for event in events:
                outcome = await self._see_through(event)
                outcomes.labels(self._queue, outcome).inc()
        await message.ack()

    async def _see_through(self, event: Carried) -> str:
        parent = telemetry.parse(event.delivery.traceparent)
        with telemetry.span(f"consume {event.delivery.type}", "consumer", parent=parent) as recorded:
            if recorded is not None:
                # What the handler publishes on its behalf belongs below.
                here = replace(event.delivery, traceparent=telemetry.traceparent())
                event = replace(event, delivery=here)
            return await self._settled(event)

    async def _settled(self, event: Carried) -> str:
        delivery = event.delivery
        try:
            with handler_seconds.labels(self._queue).time():
                applied = await self.when_possible(lambda: self._apply(delivery))
            return "applied" if applied else "duplicate"
        except Exception as error:
            if _elsewhere_away(error):
                return await self._defer(event, error)
            if delivery.attempt >= self._max_attempts:
                return await self._bury(event.alone, error)
            return await self._retry(event, error)

    async def when_possible(self, apply: Callable[[], Awaitable[R]]) -> R:
        """What `apply` gives; while Postgres is away it waits and tries again."""
        pause = 0.2
        while True:
            try:
                return await apply()
            except DatabaseAway:
                _log.warning("database_away", queue=self._queue)
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter
            pause = min(pause * 2, 5.0)

    async def _apply(self, delivery: Delivery) -> bool:
        async with self._db.transaction() as tx:
            claim = {"consumer": self._queue, "event_id": delivery.id}
            claimed = await tx.conn.execute(_CLAIM, claim)
            if claimed.rowcount == 0:
                return False
            await self._handler(tx, delivery)
        return True

    async def _defer(self, event: Carried, error: Exception) -> str:
        deferrals = _count(event.alone.headers, DEFERRALS, 0)
        _log.warning("delivery_deferred", queue=self._queue, event_id=event.delivery.id, cause=repr(error))
        await self._hop(self._topology.retry(deferrals), event.alone, {DEFERRALS: deferrals + 1})
        return "deferred"

    async def _retry(self, event: Carried, error: Exception) -> str:
        delivery = event.delivery
        _log.warning(
            "delivery_failed",
            queue=self._queue,
            event_id=delivery.id,
            type=delivery.type,
            attempt=delivery.attempt,
            exc_info=error,
        )
        target = self._topology.retry(delivery.attempt - 1)
        await self._hop(target, event.alone, {ATTEMPT: delivery.attempt + 1})
        return "retried"

    async def _bury(self, raw: RawMessage, error: Exception) -> str:
        _log.error("delivery_dead", queue=self._queue, message_id=raw.message_id, exc_info=error)
        await self._hop(self._topology.dead, raw, {ERROR: type(error).__name__})
        _dead_letters.labels(self._queue).inc()
        return "dead"

    async def _hop(self, target: str, raw: RawMessage, marks: Mapping[str, Any]) -> None:
        # RabbitMQ's own record of earlier hops grows with each; ours says all that is needed.
        kept = {
            name: value
            for name, value in raw.headers.items()
            if not name.startswith(("x-death", "x-first-death", "x-last-death"))
        }
        await self._bus.put(target, replace(raw, headers={**kept, **marks}))

    async def _clean_inbox(self) -> None:
        age = self._keep_inbox.total_seconds()
        while True:
            try:
                async with self._db.transaction() as tx:
                    found = await tx.conn.execute(_FORGET, {"consumer": self._queue, "age": age})
                more = found.rowcount >= 5000
            except AppError:
                more = False
            await asyncio.sleep(1 if more else 3600 * (0.5 + random.random()))  # noqa: S311 - jitter


def events_of(message: AbstractIncomingMessage) -> list[Carried]:
    """Raises MalformedEnvelope."""
    return carried(RawMessage.of(message))


def _elsewhere_away(error: Exception) -> bool:
    return isinstance(error, AppError) and error.kind is Kind.UNAVAILABLE and not isinstance(error, Contended)


def _count(headers: Mapping[str, Any], name: str, default: int) -> int:
    value = headers.get(name, default)
    return value if isinstance(value, int) else default
