"""An ear on RabbitMQ: every event that passes while a test runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from examkit.bundles import Carried
from examkit.bus import EXCHANGE
from examkit.consumer import events_of

from tests.harness.system import System


@asynccontextmanager
async def heard(system: System, routing_key: str = "#") -> AsyncIterator[list[Carried]]:
    """The events of one type, or all, as they come in."""
    events: list[Carried] = []
    connection = await aio_pika.connect(system.state()["rabbitmq"]["url"])
    async with connection, connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EXCHANGE, routing_key)

        async def keep(message: AbstractIncomingMessage) -> None:
            events.extend(events_of(message))

        await queue.consume(keep, no_ack=True)
        yield events


def about(events: list[Carried], subject: str) -> list[Carried]:
    """Those that are about this attempt, exam or person."""
    return [event for event in events if event.delivery.subject == subject]


async def publish(system: System, event: Carried, body: bytes, event_id: str) -> None:
    """Send an event once more, alone, with this body and id."""
    headers = {**event.alone.headers, "cloudEvents:id": event_id}
    async with await aio_pika.connect(system.state()["rabbitmq"]["url"]) as connection:
        exchange = await (await connection.channel()).get_exchange(EXCHANGE)
        message = aio_pika.Message(body, headers=headers, message_id=event_id)
        await exchange.publish(message, event.delivery.type)
