"""Our line to RabbitMQ: one connection, made anew when lost; confirmed publishing; channels to consume on."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from examkit.bundles import BUNDLE_TYPE, bundled, packed
from examkit.errors import AppError, Kind
from examkit.events import CONTENT_TYPE, Envelope, RawMessage

EXCHANGE = "examhall.events"

_log = structlog.get_logger(__name__)


class BrokerAway(AppError):  # noqa: N818 - named for what it tells
    """RabbitMQ cannot be reached, or has not confirmed. What was sent may have arrived all the same."""

    def __init__(self) -> None:
        super().__init__(
            Kind.UNAVAILABLE, "unavailable", "The message broker is unavailable.", retry_after=2.0
        )


class BrokerRefuses(BrokerAway):
    """It is there, and closed the line over what it was sent: this message, or one sent beside it."""


# A message that is too large, a type that we may not publish; a header that no frame can hold.
_REFUSALS = (aiormq.exceptions.ChannelClosed, aiormq.exceptions.ConnectionSyntaxError)


@contextlib.contextmanager
def _translating() -> Any:
    try:
        yield
    except asyncio.CancelledError as error:
        # aiormq cancels the tasks of a channel that closes; that is no wish of ours to stop.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerAway() from error
    except _REFUSALS as error:
        raise BrokerRefuses() from error
    except CONNECTION_EXCEPTIONS as error:
        raise BrokerAway() from error


def hops_of(queue: str) -> str:
    """The exchange through which a service moves messages among its own queues: `<service>.hops`."""
    return f"{queue.partition('.')[0]}.hops"


class Bus:
    """Connects on first use and whenever the line was lost. Every failure is a BrokerAway."""

    def __init__(self, url: str, *, exchange: str = EXCHANGE, timeout: float = 10.0) -> None:
        """`timeout`: seconds for connecting, and for the broker's confirmation of a message."""
        self._url = url
        self._exchange_name = exchange
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None
        self._closed = False

    @property
    def connected(self) -> bool:
        return self._connection is not None and not _is_lost(self._connection)

    async def connect(self) -> None:
        """Try once, and go on without if the broker is away: whoever needs it tries again."""
        try:
            await self.ready()
        except BrokerAway as error:
            _log.warning("broker_away", cause=repr(error.__cause__))

    async def ready(self) -> AbstractExchange:
        """The exchange of all events, on an open channel with confirms. Raises BrokerAway."""
        async with self._lock:
            if self._exchange is None or self._channel is None or self._channel.is_closed:
                with _translating():
                    async with asyncio.timeout(self._timeout):
                        self._exchange = await self._open_exchange()
            return self._exchange

    async def _open_exchange(self) -> AbstractExchange:
        connection = await self._connect()
        channel = connection.channel(publisher_confirms=True, on_return_raises=True)
        await channel.initialize()
        self._channel = channel
        return await declare_exchange(channel, self._exchange_name)

    async def _connect(self) -> AbstractConnection:
        if self._closed:
            raise ConnectionError("the bus was closed")
        if self._connection is not None and _is_lost(self._connection):
            lost_one, self._connection = self._connection, None
            await _close_quietly(lost_one)
        if self._connection is None:
            # Without heartbeats a broker that vanished would be noticed only by TCP, hours later.
            self._connection = await aio_pika.connect(self._url, heartbeat=10)
        return self._connection

    async def publish(self, envelope: Envelope, *, mandatory: bool = False) -> None:
        """Send an event and wait until the broker has it for good. Raises BrokerAway.

        `mandatory`: an event that no queue is bound to is a failure too, rather than dropped.
        """
        await self._send(await self._line(), [envelope], mandatory)

    async def publish_all(
        self, envelopes: Sequence[Envelope], *, mandatory: Collection[str] = ()
    ) -> list[BaseException | None]:
        """Send these in their order, without waiting in between; for each None or what kept it back.

        Neighbours of one type go in one message (see `bundles`).
        `mandatory`: the types for which it is a failure that no queue is bound. Raises BrokerAway where
        none could be sent.
        """
        line = await self._line()
        runs = [*bundled(envelopes)]
        sending = (self._send(line, run, run[0].type in mandatory) for run in runs)
        results = await asyncio.gather(*sending, return_exceptions=True)
        return [result for run, result in zip(runs, results, strict=True) for _ in run]

    async def _line(self) -> aiormq.Channel:
        await self.ready()
        with _translating():
            if self._channel is None:
                raise ConnectionError("the channel was lost")
            return cast(aiormq.Channel, await self._channel.get_underlay_channel())

    async def _send(self, line: aiormq.Channel, events: Sequence[Envelope], mandatory: bool) -> None:
        """One message: the event itself, or a bundle of several."""
        first, alone = events[0], len(events) == 1
        properties = aiormq.spec.Basic.Properties(
            headers=dict(first.headers()) if alone else {},
            content_type=CONTENT_TYPE if alone else BUNDLE_TYPE,
            message_id=first.id,
            timestamp=first.time,
            message_type=first.type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        with _translating():
            # aio-pika's own publish lets no message out before the one ahead has left the socket's buffer.
            await line.basic_publish(
                first.body if alone else packed(events),
                exchange=self._exchange_name,
                routing_key=first.type,
                properties=properties,
                mandatory=mandatory,
                timeout=self._timeout,
                wait=False,
            )

    async def put(self, queue: str, raw: RawMessage) -> None:
        """Put a message straight into a queue, which must exist; confirmed. Raises BrokerAway."""
        await self.ready()
        message = aio_pika.Message(
            raw.body,
            headers=dict(raw.headers),
            content_type=raw.content_type,
            message_id=raw.message_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        with _translating():
            if self._channel is None:
                raise ConnectionError("the channel was lost")
            async with asyncio.timeout(self._timeout):
                hops = await self._channel.get_exchange(hops_of(queue), ensure=False)
                await hops.publish(message, queue, mandatory=True)

    @asynccontextmanager
    async def channel(self, *, prefetch: int) -> AsyncIterator[AbstractChannel]:
        """A channel of one's own to consume on. Errors of the broker inside it leave as BrokerAway."""
        with _translating():
            await self.ready()
            async with asyncio.timeout(self._timeout):
                connection = await self._connect()
                channel = connection.channel(publisher_confirms=False)
                await channel.initialize()
                await channel.set_qos(prefetch_count=prefetch)
            try:
                yield channel
            finally:
                await _close_quietly(channel)

    async def close(self) -> None:
        """End the connection. The bus is of no use afterwards."""
        self._closed = True
        connection, self._connection = self._connection, None
        self._channel = self._exchange = None
        if connection is not None:
            await _close_quietly(connection)


async def declare_exchange(channel: AbstractChannel, name: str = EXCHANGE) -> AbstractExchange:
    return await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)


async def lost(channel: AbstractChannel) -> None:
    """Wait until the channel is gone, or the broker has taken its consumer away; raises ConnectionError."""
    taken = asyncio.Event()
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(lambda _frame: taken.set())
    waits = {asyncio.ensure_future(channel.closed()), asyncio.ensure_future(taken.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    raise ConnectionError("the channel was lost")


async def keep_consuming(name: str, session: Callable[[], Awaitable[None]]) -> None:
    """Run `session` for good: after each loss of the broker once more, with growing pauses up to 5 s."""
    loop = asyncio.get_running_loop()
    pause = 0.2
    while True:
        began = loop.time()
        try:
            await session()
        except BrokerAway as error:
            _log.warning("broker_lost", worker=name, cause=repr(error.__cause__))
        pause = 0.2 if loop.time() - began > 30 else min(pause * 2, 5.0)
        await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter


def _is_lost(connection: AbstractConnection) -> bool:
    # `is_closed` speaks only of our own closing; what the other side does is known further down.
    return connection.is_closed or connection.transport is None or connection.transport.connection.is_closed


async def _close_quietly(thing: AbstractConnection | AbstractChannel) -> None:
    # Closing what the other side has closed fails in many ways, and none matters any more.
    with contextlib.suppress(*CONNECTION_EXCEPTIONS, TimeoutError):
        async with asyncio.timeout(3):
            await thing.close()
