"""Closed attempts over the real broker, announced again and again: each is graded once, and told of once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from aio_pika.abc import AbstractIncomingMessage
from examkit.consumer import events_of
from examkit.db import Database, Tx
from examkit.events import Delivery, Envelope, Event
from examkit.messaging import BatchConsumer, Bus
from examkit.testing import eventually
from grading_service.consumers import ATTEMPT_CLOSED, Consumers
from grading_service.repository.papers import PaperCache
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.grade_attempts import ClosedAttempt

from .conftest import ALL_RIGHT, NOW, FrozenExam
from .counting import Left, left, once
from .messages import closed_message

QUEUE = "grading.attempts"


class Unanswerable:
    """A message whose consumer dies before it acknowledges."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self._message = message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)

    async def ack(self, multiple: bool = False) -> None:
        raise ConnectionError("died")


class Grading(BatchConsumer):
    """Grading's consumer; `dies`: between the commit of its first batch and the acknowledgement.

    `answered`: how many events it has acknowledged.
    """

    dies = False
    answered = 0

    async def process_all(self, messages: Sequence[Any], answered: int) -> None:
        if self.dies:
            self.dies = False
            messages = [Unanswerable(message) for message in messages]
        await super().process_all(messages, answered)
        self.answered += sum(len(events_of(message)) for message in messages)


@pytest.fixture
async def bus(rabbitmq_url: str) -> AsyncIterator[Bus]:
    line = Bus(rabbitmq_url)
    yield line
    await line.close()


@contextlib.asynccontextmanager
async def running(*workers: BatchConsumer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        await eventually(lambda: all(worker.connected for worker in workers))
        yield
        assert not any(task.done() for task in tasks), "a worker ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def announcements(closed: Sequence[ClosedAttempt]) -> list[Envelope]:
    """An event of its own for each of these, as exam's relay sends it."""
    events = [Event(ATTEMPT_CLOSED, str(one.student_exam_id), closed_message(one)) for one in closed]
    return [Envelope.of(event, "/examhall/exam") for event in events]


async def counted(db: Database, closed: Sequence[ClosedAttempt]) -> tuple[list[Left], int]:
    """What each attempt has left, and how many events were applied in all."""
    async with db.reading() as conn:
        applied = await conn.scalar(
            sa.text("SELECT count(*) FROM inbox WHERE consumer = :queue"), {"queue": QUEUE}
        )
    return [await left(db, one) for one in closed], applied or 0


async def test_an_attempt_is_graded_once_however_often_it_is_delivered(
    db: Database, cache: PaperCache, exam: FrozenExam, bus: Bus
) -> None:
    closed = [exam.closed(ALL_RIGHT) for _ in range(20)]
    consumers = Consumers(cache, GradeWaiters(db), lambda: NOW)
    replicas = [Grading(bus, db, QUEUE, [ATTEMPT_CLOSED], consumers.attempts_changed) for _ in range(2)]
    replicas[0].dies = True

    async def deliver(envelopes: Sequence[Envelope], in_all: int) -> None:
        assert not any(await bus.publish_all(envelopes, mandatory=[ATTEMPT_CLOSED]))
        await eventually(lambda: sum(replica.answered for replica in replicas) == in_all)

    async with running(*replicas):
        # In bundles, each twice, as from a relay that crashed before it noted the broker's confirmation.
        await deliver(announcements(closed) * 2, 40)
        assert not replicas[0].dies, "its first batch came again, committed already"
        assert await counted(db, closed) == ([once(2)] * 20, 20)
        # The reconciler, which has not heard of the grades, announces them anew.
        await deliver(announcements(closed), 60)
        assert await counted(db, closed) == ([Left(1, 6, 1, {2: 2})] * 20, 40)


async def test_what_was_under_way_in_a_crash_leaves_one_grade(
    db: Database, cache: PaperCache, exam: FrozenExam, bus: Bus
) -> None:
    closed = [exam.closed(ALL_RIGHT) for _ in range(5)]
    consumers = Consumers(cache, GradeWaiters(db), lambda: NOW)
    graded = asyncio.Event()

    async def stuck(tx: Tx, deliveries: Sequence[Delivery]) -> None:
        await consumers.attempts_changed(tx, deliveries)
        await tx.flush()
        graded.set()
        await asyncio.Event().wait()

    async with running(Grading(bus, db, QUEUE, [ATTEMPT_CLOSED], stuck)):
        assert not any(await bus.publish_all(announcements(closed), mandatory=[ATTEMPT_CLOSED]))
        await graded.wait()
    assert await counted(db, closed) == ([Left(0, 0, 0, {})] * 5, 0)
    after = Grading(bus, db, QUEUE, [ATTEMPT_CLOSED], consumers.attempts_changed)
    async with running(after):
        await eventually(lambda: after.answered == 5)
    assert await counted(db, closed) == ([once(2)] * 5, 5)
