"""How requests come: in an open loop, which a slow server can't slow down, or in a closed one."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.load.http import Pool

TICK_SECONDS = 0.001
DRAIN_SECONDS = 30.0

Check = Callable[[int, bytes], bool]
"""Whether an answer is what was asked for."""
Request = tuple[bytes, Check]


@dataclass
class Samples:
    """What a run gave. Latencies in seconds, of the answers that were right."""

    latencies: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    unanswered: int = 0
    last: float = 0.0
    """When the last answer came, on `time.perf_counter()`."""

    @property
    def failed(self) -> int:
        return sum(self.failures.values()) + self.unanswered

    @property
    def throughput(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Seconds; `share` from 0 to 1. What failed, or was not answered, took for ever."""
        ordered = sorted(self.latencies) + [float("inf")] * self.failed
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

    def add(self, check: Check, status: int, body: bytes, latency: float) -> None:
        self.last = time.perf_counter()
        if check(status, body):
            self.latencies.append(latency)
        else:
            name = str(status) if status else "lost"
            if not self.failures:
                print(f"first failure: {status} {body[:300]!r}")
            self.failures[name] = self.failures.get(name, 0) + 1


async def open_loop(
    pool: Pool, next_request: Callable[[], Request], rate: float, seconds: float, seed: int = 1
) -> Samples:
    """`rate` requests a second, at random (Poisson) moments that are fixed before.

    The latency counts from the moment at which a request should have left, whatever kept it.
    """
    samples = Samples()
    clock, gap = time.perf_counter, random.Random(seed).expovariate
    began = due = clock()
    asked = 0
    while due < began + seconds:
        now = clock()
        while due <= now and due < began + seconds:
            _send(pool, next_request(), due, samples)
            asked += 1
            due += gap(rate)
        await asyncio.sleep(TICK_SECONDS)
    await _drained(samples, asked)
    # To the last answer: what came after the offered time was not carried within it.
    samples.seconds = max(seconds, samples.last - began)
    return samples


async def closed_loop(
    pool: Pool, next_request: Callable[[], Request], connections: int, seconds: float
) -> Samples:
    """So many callers, each with its next request as soon as the last is answered."""
    samples = Samples()
    began = time.perf_counter()
    asked = 0

    def ask() -> None:
        nonlocal asked
        if time.perf_counter() < began + seconds:
            asked += 1
            _send(pool, next_request(), time.perf_counter(), samples, ask)

    for _ in range(connections):
        ask()
    await asyncio.sleep(seconds)
    await _drained(samples, asked)
    samples.seconds = samples.last - began
    return samples


async def burst(pool: Pool, requests: list[Request]) -> Samples:
    """All of them as fast as the pool's connections carry them."""
    samples = Samples()
    began = time.perf_counter()
    for request in requests:
        _send(pool, request, began, samples)
    await _drained(samples, len(requests), 600)
    samples.seconds = time.perf_counter() - began
    return samples


def _send(
    pool: Pool, request: Request, due: float, samples: Samples, then: Callable[[], None] | None = None
) -> None:
    message, check = request

    def done(status: int, body: bytes) -> None:
        samples.add(check, status, body, time.perf_counter() - due)
        if then is not None:
            # Not from here: the connection is free only once this has returned.
            asyncio.get_running_loop().call_soon(then)

    pool.send(message, done)


async def _drained(samples: Samples, asked: int, seconds: float = DRAIN_SECONDS) -> None:
    until = time.perf_counter() + seconds
    while len(samples.latencies) + sum(samples.failures.values()) < asked and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    samples.unanswered = asked - len(samples.latencies) - sum(samples.failures.values())
