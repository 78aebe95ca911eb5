"""The relay: nothing committed is lost between commit and publish, and order is kept."""

import asyncio
import functools
from collections.abc import Collection, Sequence

import pytest
import sqlalchemy as sa
from event_rooms import Heard, Room, running, waiting
from examkit import telemetry
from examkit.db import Database
from examkit.events import Envelope
from examkit.messaging import BrokerAway, Bus, Consumer
from examkit.outbox import Relay
from examkit.testing import eventually
from sample_service.tables import shared


async def pending(db: Database) -> int:
    async with db.reading() as conn:
        return int((await conn.execute(sa.select(sa.func.count()).select_from(shared.outbox))).scalar_one())


async def publish(db: Database, room: Room, *subjects: str) -> None:
    async with db.transaction() as tx:
        for subject in subjects:
            tx.publish(room.event(subject))


class TornBus(Bus):
    """Loses the line after `good` confirmed events, as a crash would; then is whole again."""

    def __init__(self, url: str, good: int) -> None:
        super().__init__(url)
        self.good = good

    async def publish_all(
        self, envelopes: Sequence[Envelope], *, mandatory: Collection[str] = ()
    ) -> list[BaseException | None]:
        sent, torn = envelopes[: self.good], envelopes[self.good :]
        self.good -= len(sent)
        return await super().publish_all(sent, mandatory=mandatory) + [BrokerAway() for _ in torn]


async def test_the_commit_wakes_the_relay_and_order_is_kept(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard()
    relay = Relay(db, bus, "sample", poll=60)
    consumer = Consumer(bus, db, room.queue, [room.type], heard)
    async with running(relay, consumer):
        await eventually(lambda: consumer.connected)
        with telemetry.span("request", "server"):
            trace = telemetry.trace_id()
            await publish(db, room, *map(str, range(500)))
        await eventually(lambda: len(heard.deliveries) == 500)
        await eventually(functools.partial(is_empty, db))
    assert heard.subjects == [str(n) for n in range(500)]
    first = heard.deliveries[0]
    assert (first.type, first.source, first.attempt) == (room.type, "/examhall/sample", 1)
    assert first.traceparent is not None
    assert first.traceparent.split("-")[1] == trace


async def is_empty(db: Database) -> bool:
    return await pending(db) == 0


async def test_a_crash_between_commit_and_publish_loses_nothing(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard()
    consumer = Consumer(bus, db, room.queue, [room.type], heard)
    async with running(consumer):
        await eventually(lambda: consumer.connected)
    await publish(db, room, "a", "b", "c")  # and the process dies here: no relay ever ran
    async with running(Relay(db, bus, "sample"), consumer):
        await eventually(lambda: len(heard.deliveries) == 3)
    assert heard.subjects == ["a", "b", "c"]


async def test_what_was_not_confirmed_stays(db: Database, rabbitmq_url: str) -> None:
    room = Room()
    torn = TornBus(rabbitmq_url, good=2)
    relay = Relay(db, torn, "sample")
    await publish(db, room, "a", "b", "c")
    with pytest.raises(BrokerAway):
        await relay.publish_batch()
    assert await pending(db) == 1
    torn.good = 1
    assert await relay.publish_batch() == 1
    assert await pending(db) == 0
    await torn.close()


async def test_two_relays_share_the_rows(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room, heard = Room(), Heard()
    relays = [Relay(db, bus, "sample", batch=10, poll=0.05) for _ in range(2)]
    consumer = Consumer(bus, db, room.queue, [room.type], heard)
    async with running(consumer, *relays):
        await eventually(lambda: consumer.connected)
        await publish(db, room, *map(str, range(200)))
        await eventually(lambda: len(heard.deliveries) == 200)
        await eventually(functools.partial(is_empty, db))
    assert sorted(heard.subjects, key=int) == [str(n) for n in range(200)]
    assert await waiting(rabbitmq_url, room.queue) == 0


async def test_a_mandatory_event_waits_for_its_queue(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard()
    relay = Relay(db, bus, "sample", mandatory=[room.type], poll=0.1)
    await publish(db, room, "a")
    with pytest.raises(BrokerAway):
        await relay.publish_batch()
    assert await pending(db) == 1
    async with running(relay, Consumer(bus, db, room.queue, [room.type], heard)):
        await eventually(lambda: heard.subjects == ["a"])


async def test_an_event_that_nobody_waits_for_is_done(db: Database, bus: Bus) -> None:
    await publish(db, Room(), "a")
    assert await Relay(db, bus, "sample").publish_batch() == 1
    assert await pending(db) == 0


async def test_without_a_broker_the_rows_stay_and_the_relay_lives(db: Database) -> None:
    nowhere = Bus("amqp://a:b@127.0.0.1:1/x")
    await nowhere.connect()
    assert not nowhere.connected
    relay = Relay(db, nowhere, "sample")
    await publish(db, Room(), "a")
    async with running(relay):
        for _ in range(3):
            with pytest.raises(BrokerAway):
                await relay.publish_batch()
            await asyncio.sleep(0)
    assert await pending(db) == 1
    await nowhere.close()
