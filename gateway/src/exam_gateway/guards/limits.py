"""Rate limits: token buckets in memory, per process."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from examkit.errors import rate_limited

from exam_gateway import metrics


class Buckets:
    """A bucket for each key: `burst` at once, then `rate` a second. The longest unused are forgotten."""

    def __init__(
        self,
        name: str,
        *,
        burst: float,
        rate: float,
        capacity: int = 200_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._burst = burst
        self._rate = rate
        self._capacity = capacity
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, cost: float = 1.0) -> None:
        """Raises rate_limited, with the seconds until there is enough again."""
        now = self._clock()
        level, at = self._levels.get(key, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        enough = level >= cost
        self._levels[key] = (level - cost if enough else level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self._capacity:
            self._levels.popitem(last=False)
        if not enough:
            metrics.rate_limited.labels(self._name).inc()
            raise rate_limited("Too many requests. Try again later.", (cost - level) / self._rate)


class RateLimits:
    """The limits of the gateway.

    Saves: generous for one student, so that a journal can be emptied at once, and still no one drowns a
    class. Starts: few for one student and exam, so that no access code is found by trying. Addresses: a
    class behind one address logs in together. Uploads: the photos of a whole exam at once, but each is work.
    Bodies: a whole journal and its submit at once (32 MiB), then 1 MiB a second.
    """

    def __init__(self, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._enabled = enabled
        self._saves = Buckets("saves", burst=300, rate=10, clock=clock)
        self._users = Buckets("users", burst=600, rate=60, clock=clock)
        self._starts = Buckets("starts", burst=30, rate=0.2, clock=clock)
        self._addresses = Buckets("addresses", burst=300, rate=20, clock=clock)
        self._uploads = Buckets("uploads", burst=60, rate=0.5, clock=clock)
        self._reports = Buckets("reports", burst=20, rate=0.2, clock=clock)
        self._bodies = Buckets("bodies", burst=512, rate=16, clock=clock)

    def save(self, user: Hashable, cost: int = 1) -> None:
        if self._enabled and cost:
            self._saves.take(user, cost)

    def user(self, user: Hashable) -> None:
        if self._enabled:
            self._users.take(user)

    def start(self, user: Hashable, exam: Hashable) -> None:
        if self._enabled:
            self._starts.take((user, exam))

    def upload(self, user: Hashable) -> None:
        if self._enabled:
            self._uploads.take(user)

    def report(self, user: Hashable) -> None:
        if self._enabled:
            self._reports.take(user)

    def body(self, user: Hashable, cost: int) -> None:
        """`cost` in units of 64 KiB."""
        if self._enabled:
            self._bodies.take(user, cost)

    def address(self, route: str, address: str) -> None:
        if self._enabled:
            self._addresses.take((route, _network(address)))


def _network(address: str) -> str:
    """An IPv6 client commands a /64, so that is what counts."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
