"""A client's way to the gateway, which records every request and survives whatever happens to it."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

from tests.chaos.history import Call, History, Json, now
from tests.load.http import rendered

PATIENCE = 20.0
"""Seconds after which a client gives up on an answer; longer than any time limit inside."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Line:
    """As many kept-alive connections as are needed at once, by each of the doors in turn. `token`: of who is
    logged in."""

    def __init__(self, history: History, doors: Sequence[tuple[str, int]]) -> None:
        self._history = history
        self._doors = doors
        self._turns = itertools.cycle(range(len(doors)))
        self._free: list[list[Streams]] = [[] for _ in doors]
        self.token = ""

    async def call(
        self, name: str, method: str, path: str, body: Any = None, *, patience: float = PATIENCE
    ) -> tuple[Call, Json]:
        """The request as it is recorded, and the answer's body. A connection that failed is given up."""
        request = rendered(method, path, self.token, b"" if body is None else json.dumps(body).encode())
        door, began = next(self._turns), now()
        status = 0
        answer: Json = {}
        try:
            async with asyncio.timeout(patience):
                status, answer = await self._ask(request, door)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        code = answer.get("code", "") if status >= 400 else ""
        call = Call(name=name, began=began, ended=now(), status=status, code=code, door=door)
        self._history.calls.append(call)
        return call, answer

    async def _ask(self, request: bytes, door: int) -> tuple[int, Json]:
        free = self._free[door]
        streams = free.pop() if free else await asyncio.open_connection(*self._doors[door])
        reader, writer = streams
        try:
            writer.write(request)
            lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            headers = dict(line.lower().split(b": ", 1) for line in lines[1:] if line)
            content = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        except BaseException:
            writer.close()
            raise
        free.append(streams)
        return int(lines[0].split()[1]), json.loads(content) if content else {}

    async def hang_up(self) -> None:
        """End all connections."""
        for free in self._free:
            while free:
                _, writer = free.pop()
                writer.close()
