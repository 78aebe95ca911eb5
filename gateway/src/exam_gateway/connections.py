"""A client's connection: uvicorn's, with an end to every wait, to every size, and to their number.

The body of a request is watched by `guards.body`; what else a client may take its time for, here.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from exam_gateway import metrics, problems
from exam_gateway.guards.body import WHOLE

KEEP_ALIVE_SECONDS = 75
"""Above the 60 s of common proxies, so that they never send into a line that we just closed."""
HEAD_SECONDS = 10.0
"""For the head of a request, from the connection or its first byte on."""
HEAD_BYTES = 64 * 1024
"""Of anything but a body: heads, trailers, what stands between chunks. What one read brings comes on top."""
UNWANTED_SECONDS = 10.0
"""For the rest of a body that was answered without."""
LINGER_SECONDS = 1.0
"""How long a quiet connection of a server that stops still waits for what is on its way to it."""
SURPLUS = 256
"""So many connections above the most, where none is idle, are told so; more are just closed."""

_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Shared(ServerState):
    """What the connections of a server share. `draining`: each answer is the last one on its connection.

    `idle`: those on which no request is under way, who has been so for longest first.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.draining = False
        self.idle: OrderedDict[Connection, None] = OrderedDict()

    def make_room(self) -> bool:
        """Close the connection that has been idle for longest; False where none is."""
        if not self.idle:
            return False
        longest, _ = self.idle.popitem(last=False)
        metrics.connections_displaced.inc()
        # What the kernel has of its last answer is sent all the same; who reads nothing keeps no place.
        longest.transport.abort()
        return True


class Connection(HttpToolsProtocol):
    """`_until`: when a wait for the client ends, on the loop's clock; None while it is the client who waits.

    uvicorn has one timer, and stops it at each byte that comes: here it then goes on.
    """

    server_state: Shared
    _until: float | None = None
    _arriving = False
    _in_head = True
    _bytes_beside_body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        metrics.connections.inc()
        above = len(self.connections) - self.server_state.most
        if above <= 0 or self.server_state.make_room():
            self._rest()
        else:
            metrics.connections_refused.inc()
            self.app = _full
            if above > SURPLUS:
                transport.abort()
                return
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        metrics.connections.dec()
        self.server_state.idle.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bytes_beside_body += len(data)
        super().data_received(_without_upgrade(data) if self._in_head else data)
        if self._arriving and self._bytes_beside_body > HEAD_BYTES:
            self._refuse()
        elif self._until is not None:
            self.timeout_keep_alive_task = self.loop.call_at(self._until, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.server_state.idle.pop(self, None)
        self._arriving = True
        self._bytes_beside_body = 0
        self._until = self.loop.time() + HEAD_SECONDS

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.parser.should_upgrade():
            # It was written so that we did not find it: the parser is about to drop the body.
            self.app = _not_upgraded
        super().on_headers_complete()
        self._until = None
        if self.server_state.draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._bytes_beside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._arriving = False
        self._in_head = True
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()
        self._rest()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._arriving:
            self._wait(UNWANTED_SECONDS)
        elif self.server_state.draining:
            self._wait(LINGER_SECONDS)
        else:
            # With uvicorn's own timer.
            self._until = self.loop.time() + self.timeout_keep_alive
        self._rest()

    def shutdown(self) -> None:
        """Nobody new is let in. Who is being answered leaves with the answer, who is quiet after a moment."""
        if self._is_answering():
            # After one that began without saying that it is the last there may come a request.
            self.cycle.keep_alive &= self.cycle.response_started
        elif not self._arriving:
            self._wait(LINGER_SECONDS)

    def timeout_keep_alive_handler(self) -> None:
        if not self._is_answering():
            super().timeout_keep_alive_handler()

    def _rest(self) -> None:
        """From now on this one is idle, unless it is not."""
        if not (self._arriving or self._is_answering() or self.transport.is_closing()):
            self.server_state.idle[self] = None

    def _refuse(self) -> None:
        if not self._is_answering():
            self.transport.write(_TOO_LONG)
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        self._until = self.loop.time() + seconds
        self.timeout_keep_alive_task = self.loop.call_at(self._until, self.timeout_keep_alive_handler)


def _without_upgrade(data: bytes) -> bytes:
    """What may be the head of a request, its Upgrade ignored (RFC 9110, 7.8).

    Java and curl offer HTTP/2 in this way, with a body behind it, which the parser would take for the other
    protocol's, and drop.
    """
    if b"pgrade" not in data and b"PGRADE" not in data:
        return data
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nIgnored:", head) + end + rest


async def _not_upgraded(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "No other protocol is spoken here. Leave out the Upgrade header."
    await problems.from_status(501, detail, {"connection": "close"})(scope, receive, send)


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"retry-after": "1", "connection": "close"}
    await problems.from_status(503, "Too many are connected. Try again.", headers)(scope, receive, send)
