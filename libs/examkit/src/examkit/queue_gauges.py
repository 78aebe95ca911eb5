"""How full a consumer's queues are, as the broker says: what waits, and what lies with the dead."""

import asyncio
import contextlib

from aio_pika.exceptions import ChannelNotFoundEntity
from prometheus_client import Gauge

from examkit.bus import BrokerAway, Bus
from examkit.topology import Topology

EVERY_SECONDS = 10.0
_TIMEOUT = 10.0

_messages = Gauge(
    "examhall_queue_messages", "Messages that wait in the queue; take the max over processes", ["queue"]
)
_parked = Gauge(
    "examhall_dead_letters_parked",
    "Messages that lie in its dead-letter queue; take the max over processes",
    ["queue"],
)


async def keep_measuring(bus: Bus, topology: Topology) -> None:
    """Ask again and again until cancelled. While the broker is away the gauges stay as they were."""
    while True:
        # The consumer itself tells of it, and declares the queues once it can.
        with contextlib.suppress(BrokerAway, ChannelNotFoundEntity):
            await measure(bus, topology)
        await asyncio.sleep(EVERY_SECONDS)


async def measure(bus: Bus, topology: Topology) -> None:
    """Raises BrokerAway, and ChannelNotFoundEntity before the queues are declared."""
    async with bus.channel(prefetch=1) as channel, asyncio.timeout(_TIMEOUT):
        for name, gauge in ((topology.queue, _messages), (topology.dead, _parked)):
            found = await channel.declare_queue(name, passive=True)
            gauge.labels(topology.queue).set(found.declaration_result.message_count or 0)
