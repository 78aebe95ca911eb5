"""Turns at what is costly: so many at once, so many wait, and who comes then is told to come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from examkit.errors import unavailable


class Turns:
    """`most`: those who have a turn and those who wait for one."""

    def __init__(self, at_once: int, most: int, refusal: str) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._most = most
        self._refusal = refusal
        self._here = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Raises unavailable."""
        if self._here >= self._most:
            raise unavailable(self._refusal)
        self._here += 1
        try:
            async with self._turn:
                yield
        finally:
            self._here -= 1
