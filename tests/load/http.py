"""A lean HTTP/1.1 client: the generator shall take little of the machine that it measures."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

Done = Callable[[int, bytes], None]
"""Called with the status and the body; status 0: the connection was lost before the answer."""

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time.

    `idle` is called when it is free for the next, `lost` when it is gone.
    """

    def __init__(self, idle: Callable[["Connection"], None], lost: Callable[[], None]) -> None:
        self._idle = idle
        self._lost = lost
        self._transport: asyncio.WriteTransport | None = None
        self._done: Done | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's has no common base

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def send(self, request: bytes, done: Done) -> None:
        """Raises nothing: a line that is gone is told to `done`."""
        if self._transport is None:
            done(0, b"")
            return
        self._done = done
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        end = received.find(_END)
        if end < 0:
            return
        at = received.find(_LENGTH, 0, end + 2)
        length = int(received[at + len(_LENGTH) : received.find(b"\r\n", at)]) if at >= 0 else 0
        start = end + len(_END)
        if len(received) < start + length:
            return
        self._received = b""
        self._finish(int(received[9:12]), received[start : start + length])
        self._idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._finish(0, b"")
        self._lost()

    def _finish(self, status: int, body: bytes) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(status, body)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Pool:
    """Connections to one server. A request beyond them waits in line; a lost line is opened anew."""

    def __init__(self, host: str, port: int, size: int) -> None:
        self._host, self._port, self._size = host, port, size
        self._free: list[Connection] = []
        self._waiting: deque[tuple[bytes, Done]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def open(self) -> None:
        # Few at a time: a listening socket's queue is short.
        for start in range(0, self._size, 50):
            await asyncio.gather(*(self._add() for _ in range(min(50, self._size - start))))

    async def _add(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(self._idle, self._replace), self._host, self._port
        )
        self._idle(connection)

    def send(self, request: bytes, done: Done) -> None:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                connection.send(request, done)
                return
        self._waiting.append((request, done))

    def _idle(self, connection: Connection) -> None:
        if self._waiting and connection.is_open:
            connection.send(*self._waiting.popleft())
        else:
            self._free.append(connection)

    def _replace(self) -> None:
        if self._closed:
            return
        task = asyncio.get_running_loop().create_task(self._add())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def ask(self, request: bytes) -> tuple[int, Any]:
        """One request, awaited: its status and the JSON of its answer."""
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def done(status: int, body: bytes) -> None:
            if not answer.done():
                answer.set_result((status, body))

        self.send(request, done)
        status, body = await answer
        return status, json.loads(body) if body else None

    def close(self) -> None:
        self._closed = True
        for connection in self._free:
            connection.close()


def rendered(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """A whole request for `/api/v1{path}`."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
