"""A consumer that applies what has arrived in one transaction: a burst costs little more than one event."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
import structlog
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import Histogram

from examkit import telemetry
from examkit.bundles import BUNDLE_TYPE, MOST_EVENTS
from examkit.bus import Bus
from examkit.consumer import Consumer, events_of, handler_seconds, outcomes
from examkit.db import Database, Tx
from examkit.events import Delivery, MalformedEnvelope

BatchHandler = Callable[[Tx, Sequence[Delivery]], Awaitable[None]]

_log = structlog.get_logger(__name__)
_sizes = Histogram(
    "examhall_delivery_batch_size",
    "Deliveries that were applied in one transaction",
    ["queue"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
)

# In one order everywhere, so that two processes with the same events don't wait for each other.
_CLAIM = sa.text(
    """
    INSERT INTO inbox (consumer, event_id)
    SELECT CAST(:consumer AS text), event.id FROM unnest(CAST(:ids AS text[])) AS event (id) ORDER BY event.id
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)


class BatchConsumer(Consumer):
    """A `Consumer` whose handler gets several deliveries at once, in the order of the queue.

    There are no timers: a batch is what arrived while the last one was under way, so that an idle queue is
    answered at once and a busy one batches by itself. While Postgres is away a batch waits. One that fails
    for any other reason is undone whole, and each of its deliveries is handled alone (a batch of one), by
    the rules of `Consumer`; so is every delivery that failed before.
    """

    def __init__(
        self,
        bus: Bus,
        db: Database,
        queue: str,
        bindings: Sequence[str],
        handler: BatchHandler,
        *,
        most: int = 100,
        max_attempts: int = 8,
        delays: Sequence[float] = (1.0, 10.0, 60.0),
        keep_inbox: timedelta = timedelta(days=30),
    ) -> None:
        """`most`: deliveries in one transaction, but for what the last bundle of a batch has beyond it.

        As many messages are held at a time, those under way included: single events for one batch, or full
        bundles for MOST_EVENTS of them, 256 KiB each. RabbitMQ knows no other measure.
        """

        async def alone(tx: Tx, delivery: Delivery) -> None:
            await handler(tx, [delivery])

        super().__init__(
            bus,
            db,
            queue,
            bindings,
            alone,
            prefetch=most,
            max_attempts=max_attempts,
            delays=delays,
            keep_inbox=keep_inbox,
        )
        self._handle_all = handler
        self._most = most

    async def work(self, arrived: asyncio.Queue[AbstractIncomingMessage]) -> None:
        """Take what arrives on one channel, until cancelled."""
        answered = 0
        while True:
            messages = [await arrived.get()]
            found = _count_of(messages[0])
            while found < self._most and not arrived.empty():
                messages.append(arrived.get_nowait())
                found += _count_of(messages[-1])
            await self.process_all(messages, answered)
            answered += len(messages)

    async def process_all(self, messages: Sequence[AbstractIncomingMessage], answered: int) -> None:
        """See these through. `answered`: how many this channel has delivered and seen answered before."""
        together: list[AbstractIncomingMessage] = []
        deliveries: list[Delivery] = []
        for message in messages:
            found = _first_tries(message)
            if found is None:
                await self.process(message)
            else:
                together.append(message)
                deliveries += found
        if len(deliveries) > 1 and await self._apply_together(deliveries):
            await _acknowledge(together, messages, answered)
            return
        for message in together:
            await self.process(message)

    async def _apply_together(self, deliveries: Sequence[Delivery]) -> bool:
        """False where the batch failed, and nothing of it was applied."""
        try:
            with ExitStack() as spans, handler_seconds.labels(self._queue).time():
                traced = [_traced(delivery, spans) for delivery in deliveries]
                applied = await self.when_possible(lambda: self._apply_all(traced))
        except Exception as error:
            # The type alone: a database error may quote rows. Who fails alone is logged with more.
            cause = type(error).__name__
            _log.warning("batch_failed", queue=self._queue, size=len(deliveries), cause=cause)
            return False
        _sizes.labels(self._queue).observe(applied)
        outcomes.labels(self._queue, "applied").inc(applied)
        outcomes.labels(self._queue, "duplicate").inc(len(deliveries) - applied)
        return True

    async def _apply_all(self, deliveries: Sequence[Delivery]) -> int:
        """How many of them were new."""
        once = {delivery.id: delivery for delivery in deliveries}
        async with self._db.transaction() as tx:
            claim = {"consumer": self._queue, "ids": list(once)}
            claimed = set((await tx.conn.execute(_CLAIM, claim)).scalars())
            fresh = [delivery for delivery in once.values() if delivery.id in claimed]
            if fresh:
                await self._handle_all(tx, fresh)
        return len(fresh)


def _count_of(message: AbstractIncomingMessage) -> int:
    """How many events it may carry, without a look into it."""
    return MOST_EVENTS if message.content_type == BUNDLE_TYPE else 1


def _first_tries(message: AbstractIncomingMessage) -> list[Delivery] | None:
    """None for what is no event, and for what failed before and would fail its batch again."""
    try:
        deliveries = [event.delivery for event in events_of(message)]
    except MalformedEnvelope:
        return None
    return deliveries if all(delivery.attempt == 1 for delivery in deliveries) else None


def _traced(delivery: Delivery, spans: ExitStack) -> Delivery:
    """The delivery with its place in a span of its own, where its trace is sampled."""
    parent = telemetry.parse(delivery.traceparent)
    if parent is None or not parent.sampled:
        return delivery
    spans.enter_context(telemetry.span(f"consume {delivery.type}", "consumer", parent=parent))
    return replace(delivery, traceparent=telemetry.traceparent())


async def _acknowledge(
    applied: Sequence[AbstractIncomingMessage], taken: Sequence[AbstractIncomingMessage], answered: int
) -> None:
    """Acknowledge all that were applied, with one frame where that says nothing of any other."""
    last = max(applied, key=_tag)
    if _tag(last) == answered + sum(_tag(message) <= _tag(last) for message in taken):
        # A channel counts its deliveries from 1: each up to this one is answered, or among these.
        await last.ack(multiple=True)
        return
    for message in applied:
        await message.ack()


def _tag(message: AbstractIncomingMessage) -> int:
    return message.delivery_tag or 0
