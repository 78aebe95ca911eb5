"""RabbitMQ and Postgres stopped and started for real, under a relay and consumers with a service's rights."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa
from event_rooms import Heard, Room, running, waiting
from examhall_local.postgres import PrivatePostgres
from examhall_local.rabbitmq import PrivateRabbit
from examkit import outbox
from examkit.bus import BrokerRefuses
from examkit.db import Database
from examkit.events import Envelope, Event
from examkit.messaging import Bus, Consumer, LiveListener
from examkit.outbox import Relay
from examkit.testing import DatabaseMaker, eventually
from sample_service.tables import shared
from structlog.testing import capture_logs


@pytest.fixture(scope="module")
def own_rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbit]:
    node = PrivateRabbit(tmp_path_factory.mktemp("rabbit"), die_with_parent=True)
    node.start()
    yield node
    node.stop()


@pytest.fixture
async def exam_bus(own_rabbit: PrivateRabbit) -> AsyncIterator[Bus]:
    bus = Bus(own_rabbit.url_of("exam"))
    yield bus
    await bus.close()


async def restart(node: PrivateRabbit) -> None:
    await asyncio.to_thread(node.stop)
    await asyncio.to_thread(node.start)


async def test_everything_heals_after_the_broker_was_away(
    db: Database, exam_bus: Bus, own_rabbit: PrivateRabbit
) -> None:
    room, heard, live = Room("exam"), Heard(failures=[KeyError("retried")]), Heard()
    listening = asyncio.Event()

    async def hear(delivery: object) -> None:
        await live(None, delivery)  # type: ignore[arg-type]

    async def publish(*subjects: str) -> None:
        async with db.transaction() as tx:
            for subject in subjects:
                tx.publish(room.event(subject))

    relay = Relay(db, exam_bus, "exam", mandatory=[room.type])
    consumer = Consumer(exam_bus, db, room.queue, [room.type], heard, delays=(0.05,))
    listener = LiveListener(exam_bus, "exam", [room.type], hear, on_connected=listening.set)
    async with running(relay, consumer, listener):
        await listening.wait()
        await eventually(lambda: consumer.connected)
        await publish("before")
        await eventually(lambda: heard.subjects == ["before"])

        await asyncio.to_thread(own_rabbit.stop)
        await eventually(lambda: not exam_bus.connected and not consumer.connected)
        listening.clear()
        await publish("during 1", "during 2")
        await asyncio.to_thread(own_rabbit.start)

        await eventually(lambda: set(heard.subjects) == {"before", "during 1", "during 2"}, timeout=40)
        await asyncio.wait_for(listening.wait(), 40)
        live.deliveries.clear()
        await publish("after")
        await eventually(lambda: "after" in heard.subjects and live.subjects == ["after"], timeout=20)
    assert len(heard.subjects) == len(set(heard.subjects)) == 4
    assert await waiting(own_rabbit.url, f"{room.queue}.dead") == 0


async def test_a_killed_broker_loses_nothing_it_confirmed(
    db: Database, exam_bus: Bus, own_rabbit: PrivateRabbit
) -> None:
    room, heard = Room("exam"), Heard()
    consumer = Consumer(exam_bus, db, room.queue, [room.type], heard)
    async with running(consumer):
        await eventually(lambda: consumer.connected)
    # RabbitMQ 3.10 forgets the first election of a queue that is killed in its first seconds.
    await restart(own_rabbit)
    relay = Relay(db, exam_bus, "exam", mandatory=[room.type])
    async with db.transaction() as tx:
        for number in range(100):
            tx.publish(room.event(str(number)))
    assert await relay.publish_batch() == 100
    assert own_rabbit.process is not None
    own_rabbit.process.kill()
    await restart(own_rabbit)
    async with running(consumer):
        await eventually(lambda: len(heard.deliveries) == 100, timeout=40)
    assert sorted(heard.subjects, key=int) == [str(n) for n in range(100)]


@pytest.mark.parametrize("poison", [Room("grading"), Room("exam", "x" * 300)], ids=["closes", "unsendable"])
async def test_an_event_that_the_broker_refuses_keeps_no_other_back(
    db: Database, exam_bus: Bus, poison: Room
) -> None:
    """RabbitMQ closes the line over a type that is not exam's, as over a message that is too large."""
    room, heard, now = Room("exam"), Heard(), [0.0]
    consumer = Consumer(exam_bus, db, room.queue, [room.type], heard)
    relay = Relay(db, exam_bus, "exam", mandatory=[room.type], clock=lambda: now[0])
    with capture_logs() as logged:
        async with running(consumer):
            await eventually(lambda: consumer.connected)
            for events in ((room.event("1"), poison.event("poison"), room.event("2")), (room.event("3"),)):
                await publish(db, *events)
                await relay.publish_batch()
            now[0] = 11.0
            await publish(db, room.event("4"))
            await relay.publish_batch()
            await eventually(lambda: set(heard.subjects) == {"1", "2", "3", "4"})
        assert await relay.publish_batch() == 0
    refused = [line["subject"] for line in logged if line["event"] == "event_refused"]
    assert refused == ["poison", "poison"]
    async with db.reading() as conn:
        assert (await conn.execute(sa.select(shared.outbox.c.subject))).scalars().all() == ["poison"]


async def test_where_nearly_all_is_refused_it_waits_in_order(
    db: Database, exam_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_ASIDE", 1)
    foreign = Room("grading")
    relay = Relay(db, exam_bus, "exam")
    await publish(db, foreign.event("1"), foreign.event("2"))
    for _ in range(2):
        with pytest.raises(BrokerRefuses):
            await relay.publish_batch()


async def publish(db: Database, *events: Event) -> None:
    async with db.transaction() as tx:
        for event in events:
            tx.publish(event)


async def test_a_consumer_outlasts_postgres(
    bus: Bus, own_postgres: PrivatePostgres, rabbitmq_url: str
) -> None:
    room, heard = Room(), Heard()
    sample = DatabaseMaker(own_postgres.dsn)("sample")
    db = Database(sample.serve_dsn, schema="sample", pool_size=2)
    consumer = Consumer(bus, db, room.queue, [room.type], heard, max_attempts=1)
    relay = Relay(db, bus, "sample")

    async def send(subject: str) -> None:
        await bus.publish(Envelope.of(room.event(subject), "/examhall/sample"), mandatory=True)

    async with running(consumer, relay):
        await eventually(lambda: consumer.connected)
        await send("before")
        await eventually(lambda: heard.subjects == ["before"])
        await asyncio.to_thread(own_postgres.stop)
        await send("during")
        await eventually(functools.partial(is_taken, rabbitmq_url, room.queue))
        await asyncio.to_thread(own_postgres.start)
        await eventually(lambda: heard.subjects == ["before", "during"])
    assert heard.attempts == [1, 1]
    assert await waiting(rabbitmq_url, f"{room.queue}.dead") == 0
    await db.close()


async def is_taken(url: str, queue: str) -> bool:
    return await waiting(url, queue) == 0
