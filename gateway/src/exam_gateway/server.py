"""The process: listens, becomes ready, drains."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog
import uvicorn
from examkit.ops import OpsServer, write_ready_file
from examkit.workers import Supervisor
from starlette.types import ASGIApp

from exam_gateway.bootstrap import Gateway, build
from exam_gateway.settings import GatewaySettings

GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
"""Above the 60 s of common proxies, so that they never send into a line that we just closed."""
READY_POLL_SECONDS = 0.2

log = structlog.get_logger(__name__)


class HttpServer(uvicorn.Server):
    """uvicorn, with signals left to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: ASGIApp) -> HttpServer:
    """Configured; give `serve` the socket."""
    return HttpServer(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def listen(bind: str) -> socket.socket:
    """A bound socket for `host:port`. Raises OSError."""
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, int(port)))
    except OSError:
        listening.close()
        raise
    return listening


class Process:
    """One run of `serve`."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._not_ready: str | None = "starting"
        self._stop = asyncio.Event()
        self._ops = OpsServer(settings.ops_bind, self._readiness)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop, number)
        await self._ops.start()
        try:
            async with build(self._settings, self._readiness) as gateway:
                await self._live(gateway)
        finally:
            await self._ops.stop()
        log.info("stopped")

    async def _live(self, gateway: Gateway) -> None:
        supervisor = Supervisor(gateway.workers)
        listening = listen(self._settings.http_bind)
        url = "http://" + _local(self._settings.http_bind, listening.getsockname()[1])
        server = http_server(gateway.app)
        supervisor.start()
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        becoming = asyncio.create_task(self._become_ready(gateway, url))
        log.info("started", url=url, ops_port=self._ops.port)
        try:
            await self._until_stopped(serving, becoming)
        finally:
            becoming.cancel()
            self._not_ready = "stopping"
            if not serving.done():
                await asyncio.sleep(self._settings.drain_seconds)
            gateway.live.stop()
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
            await supervisor.stop(GRACE_SECONDS)

    async def _until_stopped(self, serving: asyncio.Task[None], becoming: asyncio.Task[None]) -> None:
        """Waits for the signal. What goes wrong before ends the process instead of hiding."""
        stop = asyncio.create_task(self._stop.wait())
        waiting: set[asyncio.Task[object]] = {stop, serving, becoming}
        try:
            while not stop.done():
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if serving in done and not stop.done():
                    raise RuntimeError("the HTTP server ended")
                waiting -= done
        finally:
            stop.cancel()

    async def _become_ready(self, gateway: Gateway, url: str) -> None:
        while (waiting_for := await gateway.ready()) is not None:
            self._not_ready = waiting_for
            await asyncio.sleep(READY_POLL_SECONDS)
        self._not_ready = None
        if self._settings.ready_file:
            content = {
                "pid": os.getpid(),
                "url": url,
                "ops_url": "http://" + _local(self._settings.ops_bind, self._ops.port),
            }
            await asyncio.to_thread(partial(write_ready_file, Path(self._settings.ready_file), content))
        log.info("ready")

    async def _readiness(self) -> str | None:
        return "stopping" if self._stop.is_set() else self._not_ready

    def _asked_to_stop(self, number: int) -> None:
        if not self._stop.is_set():
            log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()


def _local(bind: str, port: int) -> str:
    """Where a neighbour on this machine reaches a bound address."""
    host = bind.rpartition(":")[0]
    return f"{'127.0.0.1' if host in {'0.0.0.0', '[::]'} else host}:{port}"  # noqa: S104 - compared, not bound
