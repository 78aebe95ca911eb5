"""A client's connection: uvicorn's, with an end to every wait, to every size, and to their number.

The body of a request is watched by `guards.body`; what else a client may take its time for, here.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from functools import partial
from typing import cast

from examkit import telemetry
from starlette.types import Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from exam_gateway import metrics, problems
from exam_gateway.guards.body import WHOLE
from exam_gateway.guards.frame import RECEIVED, Headers
from exam_gateway.guards.quick import Quick

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
BODY_BEHIND_SECONDS = 0.05
"""How long a small body may be behind its head and the request still go the short way."""
SURPLUS = 256
"""So many connections above the most, where none is idle, are told so; more are just closed."""

_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)


class Shared(ServerState):
    """What the connections of a server share. `draining`: each answer is the last one on its connection.

    `idle`: those on which no request is under way, who has been so for longest first.
    """

    def __init__(self, most: int, quick: Quick | None = None) -> None:
        super().__init__()
        self.most = most
        self.quick = quick
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
    _reading = False
    _held: RequestResponseCycle | None = None
    _held_until: asyncio.TimerHandle | None = None

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
        self._reading = True
        super().data_received(_without_upgrade(data) if self._in_head else data)
        self._reading = False
        if self._held is not None:
            if self._held.more_body and self._held_until is None:
                self._held_until = self.loop.call_later(BODY_BEHIND_SECONDS, self._serve_held)
            else:
                self._serve_held()
        if self._arriving and self._bytes_beside_body > HEAD_BYTES:
            self._refuse(431, "The head of the request is too large.")
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
        elif not self._has_host():
            self.app = _no_host
        super().on_headers_complete()
        self._until = None
        if self.server_state.draining:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """uvicorn's, but for a request that may go the short way once its body is here."""
        quick = self.server_state.quick
        if (
            quick is not None
            and self._reading
            and app is self.config.loaded_app
            and not cycle.waiting_for_100_continue
            and quick.knows(cast(Scope, cycle.scope))
        ):
            self._held = cycle
            cycle.scope[RECEIVED] = time.monotonic()  # type: ignore[literal-required]
        else:
            super()._start_asgi_task(cycle, app)

    def _serve_held(self) -> None:
        cycle, self._held = self._held, None
        if self._held_until is not None:
            self._held_until.cancel()
            self._held_until = None
        quick = self.server_state.quick
        assert cycle is not None
        assert quick is not None
        if (
            cycle.more_body
            or cycle.disconnected
            or self.flow.write_paused
            or not quick.take(cast(Scope, cycle.scope), bytes(cycle.body), partial(self._reply, cycle))
        ):
            super()._start_asgi_task(cycle, self.config.loaded_app)
        else:
            # The cycle stays until the next request, and would keep it.
            cycle.body = bytearray()

    def _reply(self, cycle: RequestResponseCycle, status: int, headers: Headers, content: bytes) -> None:
        """The whole answer in one piece."""
        # Of several requests at once, uvicorn tells only the last that the line is gone.
        if cycle.disconnected or self.transport.is_closing():
            return
        cycle.response_started = cycle.response_complete = True
        self._write(status, headers, content, last=not cycle.keep_alive)
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _write(self, status: int, headers: Headers, content: bytes, *, last: bool) -> None:
        parts = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"connection: close\r\n\r\n" if last else b"\r\n", content)
        self.transport.write(b"".join(parts))

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

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "This is not an HTTP request.")

    def _refuse(self, status: int, detail: str) -> None:
        """What can't be read as a request is told so, unless an earlier one is being answered."""
        if not self._is_answering():
            with telemetry.span("HTTP", "server", decided=False):
                problem = problems.from_status(status, detail)
            self._write(status, problem.raw_headers, bytes(problem.body), last=True)
        self.transport.close()

    def _has_host(self) -> bool:
        """One, and no more (RFC 9112, 3.2); HTTP/1.0 knew none."""
        hosts = [name for name, _ in self.headers].count(b"host")
        return hosts == 1 or (hosts == 0 and self.parser.get_http_version() == "1.0")

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
    # As long as before: where a read ends amid the end of the head, this may be the beginning of a body.
    return _UPGRADE.sub(lambda found: b"\r\nIgnored" + found[0][9:], head) + end + rest


async def _not_upgraded(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "No other protocol is spoken here. Leave out the Upgrade header."
    await problems.from_status(501, detail, {"connection": "close"})(scope, receive, send)


async def _no_host(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "A request names one host."
    await problems.from_status(400, detail, {"connection": "close"})(scope, receive, send)


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"retry-after": "1", "connection": "close"}
    await problems.from_status(503, "Too many are connected. Try again.", headers)(scope, receive, send)
