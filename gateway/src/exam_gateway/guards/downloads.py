"""How many downloads this process holds at a time, in all and of one user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from examkit.errors import AppError, rate_limited, unavailable

AT_ONCE = 32
AT_ONCE_OF_USER = 4
WAIT_SECONDS = 5.0
"""A page asks for all of its pictures together: who waits holds nothing."""


class Downloads:
    def __init__(self) -> None:
        self._all = asyncio.Semaphore(AT_ONCE)
        # Each is there while somebody holds it or waits for it.
        self._users: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, user: Hashable) -> AsyncIterator[None]:
        """Raises rate_limited, unavailable."""
        own = self._users.setdefault(user, asyncio.Semaphore(AT_ONCE_OF_USER))
        await _enter(own, rate_limited("Load files one after the other.", 1.0))
        try:
            await _enter(self._all, unavailable("Too many files are being loaded at once. Try again."))
            try:
                yield
            finally:
                self._all.release()
        finally:
            own.release()


async def _enter(semaphore: asyncio.Semaphore, refusal: AppError) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await semaphore.acquire()
    except TimeoutError:
        raise refusal from None
