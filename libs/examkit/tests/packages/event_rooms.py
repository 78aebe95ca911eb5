"""Names of one's own for each test on a shared broker, and looks into its queues."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aio_pika
from examkit.events import Delivery, Event
from examkit.workers import Worker
from examprotos.auth.v1.events_pb2 import AccessRevoked


@dataclass(frozen=True)
class Room:
    """An event type and a queue that no other test uses."""

    service: str = "sample"
    key: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def type(self) -> str:
        return f"examhall.{self.service}.note.{self.key}.v1"

    @property
    def queue(self) -> str:
        return f"{self.service}.notes-{self.key}"

    def event(self, subject: str = "1") -> Event:
        return Event(self.type, subject, AccessRevoked())


@dataclass
class Heard:
    """Collects deliveries; `failures` are raised first, one for each call."""

    failures: list[Exception] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)

    @property
    def subjects(self) -> list[str]:
        return [delivery.subject for delivery in self.deliveries]

    async def __call__(self, _tx: object, delivery: Delivery) -> None:
        self.attempts.append(delivery.attempt)
        if self.failures:
            raise self.failures.pop(0)
        self.deliveries.append(delivery)


@contextlib.asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    """These workers run inside. One that ends by itself ends the test."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker.run()) for worker in workers]
        yield
        assert not any(task.done() for task in tasks), "a worker ended by itself"
        for task in tasks:
            task.cancel()


async def waiting(url: str, queue: str) -> int:
    """How many messages lie ready in a queue; -1 where there is none."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        try:
            found = await channel.declare_queue(queue, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return -1
        return int(found.declaration_result.message_count or 0)


async def take(url: str, queue: str) -> aio_pika.abc.AbstractIncomingMessage | None:
    """The first message of a queue, taken out of it."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        message = await (await channel.get_queue(queue)).get(fail=False)
        if message is not None:
            await message.ack()
        return message
