"""One at a time by key: so that parallel guesses at one password are counted one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from auth_service.errors import too_many_failures

MOST_WAITING = 64


class Turns:
    """Locks by key, kept only while somebody holds or awaits them."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most = most_waiting
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Raises rate_limited where too many wait for the same."""
        lock, count = self._locks.get(key, (asyncio.Lock(), 0))
        if count >= self._most:
            raise too_many_failures(1.0)
        self._locks[key] = (lock, count + 1)
        try:
            async with lock:
                yield
        finally:
            lock, count = self._locks[key]
            if count == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, count - 1)
