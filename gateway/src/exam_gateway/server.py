"""The process: what it serves with, and how that stops without dropping a request."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from examkit import process
from examkit.ops import ReadyCheck
from starlette.types import ASGIApp

from exam_gateway.bootstrap import build
from exam_gateway.connections import KEEP_ALIVE_SECONDS, SURPLUS, Connection, Shared
from exam_gateway.guards.quick import Quick
from exam_gateway.settings import GatewaySettings

OTHER_FILES = 256
"""For everything but clients: channels, logs, uploads on their way."""
UNREAD_SECONDS = 60
"""How long a client may leave what it was sent unread before the kernel gives the connection up."""


class HttpServer(uvicorn.Server):
    """uvicorn on `bind` (`host:port`), with signals left to the process.

    `drain_seconds`: after `stop` was asked for it still lets clients in for so long, so that a load balancer
    can notice. `end_streams` is called when that is over: what never ends by itself has to end then.
    """

    def __init__(
        self,
        app: ASGIApp,
        bind: str,
        *,
        quick: Quick | None = None,
        most_connections: int = 1000,
        drain_seconds: float = 0.0,
        end_streams: Callable[[], None],
    ) -> None:
        super().__init__(_config(app))
        self.server_state: Shared = Shared(most_connections, quick)
        self.url = ""
        self._bind = bind
        self._drain_seconds = drain_seconds
        self._end_streams = end_streams
        self._sockets: list[socket.socket] = []
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to listen. Raises OSError where the address is taken."""
        listening = listen(self._bind)
        self._sockets.append(listening)
        self.url = "http://" + process.local_address(self._bind, listening.getsockname()[1])
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=self._sockets)
        self._ticking = asyncio.create_task(self.main_loop())

    async def stop(self, grace: float) -> None:
        """What is under way, and what still comes on open connections, is answered, each with a farewell."""
        self.server_state.draining = True
        if self._ticking is None:
            return
        await asyncio.sleep(self._drain_seconds)
        self._end_streams()
        self.should_exit = True
        await self._ticking
        self.config.timeout_graceful_shutdown = int(grace)
        await self.shutdown(sockets=self._sockets)


def run(settings: GatewaySettings) -> None:
    """One run of `serve`."""
    process.run(settings.service_name, settings, partial(_parts, settings))


@asynccontextmanager
async def _parts(settings: GatewaySettings, not_ready: ReadyCheck) -> AsyncIterator[process.Parts]:
    files = raise_file_limit()
    async with build(settings, not_ready) as gateway:
        server = HttpServer(
            gateway.app,
            settings.http_bind,
            quick=gateway.quick,
            most_connections=min(settings.max_connections, max(files - SURPLUS - OTHER_FILES, files // 2)),
            drain_seconds=settings.drain_seconds,
            end_streams=gateway.live.stop,
        )
        yield process.Parts(server, gateway.workers, gateway.ready, lambda: {"url": server.url})


def raise_file_limit() -> int:
    """Lets the process open as many files as the system allows it; how many those are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        # macOS calls its limit infinite, and then refuses that.
        return soft
    return hard


def listen(bind: str) -> socket.socket:
    """A bound socket for `host:port`. Raises OSError."""
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    # asyncio spares a connection the wait for acknowledgements (TCP_NODELAY) only where TCP is named.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections have it from the socket that they came in by.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    try:
        listening.bind((host, int(port)))
    except OSError:
        listening.close()
        raise
    return listening


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
