"""A wire between two processes: a TCP proxy that can be cut, refuse, and go silent."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

AT_ONCE = 65_536
"""Bytes."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: whoever is at the other end is told that the connection broke, not that it ended."""

Address = tuple[str, int]


class Wire:
    """Carries every connection to `port` on to `far_end`. It looks into none: TLS passes as it is."""

    def __init__(self, port: int, far_end: Address) -> None:
        self._port = port
        self._far_end = far_end
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._speaks = asyncio.Event()
        self._speaks.set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def is_harmed(self) -> bool:
        """Whether it refuses or is silent already."""
        return self._server is None or not self._speaks.is_set()

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    async def close(self) -> None:
        """Take no more, and cut those that are there."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._speaks.set()
        self.cut()
        while self._ends:
            await asyncio.sleep(0)

    def cut(self) -> int:
        """Reset every connection; how many ends that were."""
        for end in self._ends:
            _reset(end)
        return len(self._ends)

    @asynccontextmanager
    async def refused(self) -> AsyncIterator[None]:
        """Within it nobody gets through, and who was connected is cut off."""
        await self.close()
        try:
            yield
        finally:
            await self.open()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Within it connections stay, new ones are taken too, and nothing comes through, not even an end.
        What was sent meanwhile comes after it."""
        self._speaks.clear()
        try:
            yield
        finally:
            self._speaks.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._far_end)
        except OSError:
            _reset(writer)
            self._ends.discard(writer)
            return
        self._ends.add(far_writer)
        try:
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        except OSError:
            # One end is gone, and so is the other.
            _reset(writer)
            _reset(far_writer)
        finally:
            for end in (writer, far_writer):
                end.close()
                self._ends.discard(end)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(AT_ONCE):
            await self._speaks.wait()
            sink.write(data)
            await sink.drain()
        await self._speaks.wait()
        if sink.can_write_eof():
            sink.write_eof()


def _reset(end: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # it may be closed already
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()
