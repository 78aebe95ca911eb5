"""The life of a process, the same for services and gateway: it starts, becomes ready, drains when told to.

The ops port answers from the first moment. The process is ready once everything it needs has been there
once; from then on readiness speaks of the process alone. SIGTERM or SIGINT: not ready any more, nothing new,
what is under way may end, then the workers stop.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Protocol

import structlog
from prometheus_client import Gauge

from examkit import faults, logs, telemetry
from examkit.ops import OpsServer, ReadyCheck, write_ready_file
from examkit.workers import Supervisor, Worker

GRACE_SECONDS = 20.0
"""For what is under way when the process is told to stop: longer than any request of a student may take."""
READY_POLL_SECONDS = 0.2
YOUNG_OBJECTS = 20_000

_build_info = Gauge("examhall_build_info", "1: which program this is", ["service", "version", "python"])

log = structlog.get_logger(__name__)


class Settings(faults.Settings, Protocol):
    """What of its settings a process itself looks at."""

    @property
    def service_name(self) -> str: ...
    @property
    def ops_bind(self) -> str: ...
    @property
    def ready_file(self) -> str: ...
    @property
    def log_level(self) -> str: ...
    @property
    def otel_exporter_otlp_endpoint(self) -> str: ...
    @property
    def otel_traces_sampler_arg(self) -> float: ...


class Server(Protocol):
    """What a process serves with. `stop` takes nothing new and gives what is under way `grace` seconds."""

    async def start(self) -> object: ...

    async def stop(self, grace: float) -> None: ...


@dataclass(frozen=True)
class Parts:
    """What a process consists of.

    `not_ready` is asked until it first gives None. `addresses`: where it serves, for the ready file, once
    the server has started.
    """

    server: Server | None
    workers: Sequence[Worker]
    not_ready: ReadyCheck
    addresses: Callable[[], Mapping[str, str | None]]


Build = Callable[[ReadyCheck], AbstractAsyncContextManager[Parts]]
"""Makes the parts, and closes on exit what it opened. It is given the readiness of the whole process."""


def run(name: str, settings: Settings, build: Build) -> None:
    """One run of the process, from its logs to its end."""
    import uvloop

    logs.setup(name, settings.log_level)
    version = metadata.version("examkit")
    _build_info.labels(name, version, platform.python_version()).set(1)
    faults.setup(name, f"examhall@{version}", settings)
    if settings.ready_file:
        # Until this run serves, the file of an earlier one would point at a dead process.
        Path(settings.ready_file).unlink(missing_ok=True)
    telemetry.setup(name, settings.otel_exporter_otlp_endpoint, settings.otel_traces_sampler_arg)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_Process(settings).run(build))
    finally:
        telemetry.shutdown()
        faults.shutdown()
        # The process's end waits two seconds for channels that nobody has collected.
        gc.unfreeze()
        gc.collect()


class _Process:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._not_ready: str | None = "starting"
        self._stop = asyncio.Event()
        self._ops = OpsServer(settings.ops_bind, self._readiness)

    async def run(self, build: Build) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop, number)
        await self._ops.start()
        try:
            async with build(self._readiness) as parts:
                await self._serve(parts)
        finally:
            await self._ops.stop()
        log.info("stopped")

    async def _serve(self, parts: Parts) -> None:
        supervisor = Supervisor(parts.workers)
        supervisor.start()
        try:
            if parts.server is not None:
                await parts.server.start()
            log.info("started", **parts.addresses(), ops_port=self._ops.port)
            await self._until_stopped(asyncio.create_task(self._become_ready(parts)))
        finally:
            self._not_ready = "stopping"
            if parts.server is not None:
                await parts.server.stop(GRACE_SECONDS)
            await supervisor.stop()

    async def _until_stopped(self, become_ready: asyncio.Task[None]) -> None:
        """Waits for the signal. What goes wrong while becoming ready ends the process instead of hiding."""
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({stop, become_ready}, return_when=asyncio.FIRST_COMPLETED)
            if become_ready.done():
                become_ready.result()
            await stop
        finally:
            become_ready.cancel()
            stop.cancel()

    async def _become_ready(self, parts: Parts) -> None:
        while (reason := await _asked(parts.not_ready)) is not None:
            self._not_ready = reason
            await asyncio.sleep(READY_POLL_SECONDS)
        # What start-up made stays. A full collection would look through it each time, 50 ms amid a burst.
        gc.collect()
        gc.freeze()
        # A burst holds tens of thousands of objects that are all in use: don't look at them after each 700.
        gc.set_threshold(YOUNG_OBJECTS, 20, 20)
        self._not_ready = None
        if self._settings.ready_file:
            content = {
                "pid": os.getpid(),
                **parts.addresses(),
                "ops_url": "http://" + local_address(self._settings.ops_bind, self._ops.port),
            }
            await asyncio.to_thread(partial(write_ready_file, Path(self._settings.ready_file), content))
        log.info("ready")

    async def _readiness(self) -> str | None:
        return "stopping" if self._stop.is_set() else self._not_ready

    def _asked_to_stop(self, number: int) -> None:
        if not self._stop.is_set():
            log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()


async def _asked(not_ready: ReadyCheck) -> str | None:
    try:
        return await not_ready()
    except Exception as error:
        log.warning("ready_check_failed", exc_info=True)
        return type(error).__name__


def local_address(bind: str, port: int) -> str:
    """Where a neighbour on this machine reaches a bound address."""
    host = bind.rpartition(":")[0]
    return f"{'127.0.0.1' if host in {'0.0.0.0', '[::]'} else host}:{port}"  # noqa: S104 - compared, not bound
