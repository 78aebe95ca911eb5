"""A lean HTTP/1.1 client on asyncio streams: the generator takes little of the machine it measures."""

import asyncio
import json
import time
from typing import Any


class Connection:
    """One kept-alive connection. `call` gives status, body and seconds."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.token = ""

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any, float]:
        started = time.perf_counter()
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=2**20)
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        self._writer.write(head.encode() + b"\r\n" + payload)
        status, answer = await self._answer()
        return status, answer, time.perf_counter() - started

    async def _answer(self) -> tuple[int, Any]:
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in lines[1:] if line)
        content = await self._reader.readexactly(int(headers.get(b"content-length", b"0")))
        return int(lines[0].split()[1]), json.loads(content) if content else None

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()
