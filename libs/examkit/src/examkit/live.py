"""Live fan-out: every process of a service hears of an event at once, or not at all (they poll beside it)."""

import inspect
import secrets
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aio_pika.abc import AbstractIncomingMessage

from examkit.bundles import carried
from examkit.bus import EXCHANGE, Bus, keep_consuming, lost
from examkit.events import Delivery, MalformedEnvelope, RawMessage

_log = structlog.get_logger(__name__)


class LiveListener:
    """A worker that calls `callback` with each event of these types while it is connected.

    Nothing is kept while it is not: `on_connected`, called each time it has (again) begun to listen, is
    the place to catch up. An exception of the callback is logged; the next event is delivered all the same.
    """

    def __init__(
        self,
        bus: Bus,
        service: str,
        bindings: Sequence[str],
        callback: Callable[[Delivery], Awaitable[None] | None],
        *,
        on_connected: Callable[[], Awaitable[None] | None] | None = None,
    ) -> None:
        self.name = f"live {service}"
        self._bus = bus
        self._service = service
        self._bindings = tuple(bindings)
        self._callback = callback
        self._on_connected = on_connected

    async def run(self) -> None:
        """Listen until cancelled."""
        await keep_consuming(self.name, self._session)

    async def _session(self) -> None:
        # A new name each time: after a lost line the broker may hold on to the old queue for a while.
        name = f"{self._service}.live.{secrets.token_hex(8)}"
        async with self._bus.channel(prefetch=100) as channel:
            queue = await channel.declare_queue(name, exclusive=True, auto_delete=True)
            for binding in self._bindings:
                await queue.bind(EXCHANGE, binding)
            await queue.consume(self._hear, no_ack=True)
            if self._on_connected is not None:
                await _settled(self._on_connected())
            await lost(channel)

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        try:
            events = carried(RawMessage.of(message))
        except MalformedEnvelope as error:
            _log.warning("live_event_malformed", service=self._service, cause=str(error))
            return
        for event in events:
            try:
                await _settled(self._callback(event.delivery))
            except Exception:
                _log.exception("live_event_failed", service=self._service)


async def _settled(result: Awaitable[None] | None) -> None:
    if inspect.isawaitable(result):
        await result
