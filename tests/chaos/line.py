"""A client's way to the gateway, which records every request and survives whatever happens to it."""

import asyncio
import contextlib
from typing import Any

from tests.chaos.history import Call, History, Json, now
from tests.load.http import Connection

PATIENCE = 20.0
"""Seconds after which a client gives up on an answer; longer than any time limit inside."""


class Line:
    """As many kept-alive connections as are needed at once. `token`: of who is logged in."""

    def __init__(self, history: History, host: str, port: int) -> None:
        self._history = history
        self._address = host, port
        self._free: list[Connection] = []
        self.token = ""

    async def call(
        self, name: str, method: str, path: str, body: Any = None, *, patience: float = PATIENCE
    ) -> tuple[Call, Json]:
        """The request as it is recorded, and the answer's body. A connection that failed is given up."""
        began = now()
        status, answer = 0, None
        connection = self._free.pop() if self._free else Connection(*self._address)
        connection.token = self.token
        try:
            async with asyncio.timeout(patience):
                status, answer, _ = await connection.call(method, path, body)
            self._free.append(connection)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            await _hang_up(connection)
        answer = answer or {}
        code = answer.get("code", "") if status >= 400 else ""
        call = Call(name=name, began=began, ended=now(), status=status, code=code)
        self._history.calls.append(call)
        return call, answer

    async def hang_up(self) -> None:
        """End all connections."""
        while self._free:
            await _hang_up(self._free.pop())


async def _hang_up(connection: Connection) -> None:
    with contextlib.suppress(OSError):
        await connection.close()
