"""A service's process: `python -m exam_service serve | work | migrate | check-config`.

`serve` runs the gRPC server, and the workers too where WORKERS=inline; `work` runs the workers alone.
The ops port answers from the first moment. The process is ready once everything it needs has been there
once; from then on readiness speaks of the process alone. SIGTERM or SIGINT: not ready any more, no new
calls, those under way may end, then the workers stop.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import structlog

from examkit import logs, telemetry
from examkit.ops import OpsServer, write_ready_file
from examkit.rpc.server import RpcServer
from examkit.settings import MigrationSettings, ServiceSettings, SettingsError, from_environment
from examkit.workers import Supervisor, Worker

GRACE_SECONDS = 10.0
READY_POLL_SECONDS = 0.2
STEPS = ("pre", "post")

S = TypeVar("S", bound=ServiceSettings)
Mode = Literal["serve", "work"]

log = structlog.get_logger(__name__)


async def _always_ready() -> bool:
    return True


@dataclass(frozen=True)
class App:
    """What a service consists of.

    `ready` gives True, or False or a sentence that says what is still awaited; it is asked until it first
    says True. `workers` follow the WORKERS setting; `always` (what `Access` follows auth by) run in
    every mode.
    """

    rpc_server: RpcServer | None
    workers: Sequence[Worker] = ()
    ready: Callable[[], Awaitable[bool | str]] = _always_ready
    always: Sequence[Worker] = field(default=())


@dataclass(frozen=True)
class ServiceDefinition(Generic[S]):
    """A service: `name` is its identity (`exam`), `package` its Python package (`exam_service`).

    `build` yields the App and closes on exit what it opened; connections that may fail belong into
    workers and `ready`, so that a service starts without its dependencies.
    """

    name: str
    package: str
    settings: type[S]
    build: Callable[[S], AbstractAsyncContextManager[App]]


def main(definition: ServiceDefinition[Any], argv: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 done, 1 failed, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog=f"python -m {definition.package}")
    parser.add_argument("command", choices=["serve", "work", "migrate", "check-config"])
    parser.add_argument(
        "--steps", nargs="+", choices=STEPS, default=STEPS, help="of migrate: before or after a roll-out"
    )
    arguments = parser.parse_args(argv)
    command = arguments.command
    try:
        if command == "migrate":
            _migrate(definition, arguments.steps)
        elif command == "check-config":
            _check(definition)
        else:
            _run(definition, command)
    except SettingsError as error:
        sys.exit(_told(str(error)))


def _told(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


def _migrate(definition: ServiceDefinition[Any], steps: Sequence[str]) -> None:
    from examkit.migrate import upgrade

    settings = from_environment(MigrationSettings)
    logs.setup(definition.name, settings.log_level)
    upgrade(definition.package, settings.migrate_database_url, settings.db_schema, steps=steps)


def _check(definition: ServiceDefinition[S]) -> None:
    settings = from_environment(definition.settings)
    problems = settings.tls.unreadable()
    if problems:
        raise SettingsError(problems)
    print("The settings are complete.")


def _run(definition: ServiceDefinition[S], mode: Mode) -> None:
    import uvloop

    settings = from_environment(definition.settings)
    name = settings.service_name or definition.name
    logs.setup(name, settings.log_level)
    if settings.ready_file:
        # Until this run serves, the file of an earlier one would point at a dead process.
        Path(settings.ready_file).unlink(missing_ok=True)
    telemetry.setup(name, settings.otel_exporter_otlp_endpoint, settings.otel_traces_sampler_arg)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_Process(definition, settings, mode).run())
    finally:
        telemetry.shutdown()


class _Process(Generic[S]):
    """One run of `serve` or `work`."""

    def __init__(self, definition: ServiceDefinition[S], settings: S, mode: Mode) -> None:
        self._definition = definition
        self._settings = settings
        self._mode = mode
        self._not_ready: str | None = "starting"
        self._stop = asyncio.Event()
        self._ops = OpsServer(settings.ops_bind, self._readiness)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop, number)
        await self._ops.start()
        try:
            async with self._definition.build(self._settings) as app:
                await self._live(app)
        finally:
            await self._ops.stop()
        log.info("stopped")

    async def _live(self, app: App) -> None:
        inline = self._mode == "work" or self._settings.workers == "inline"
        supervisor = Supervisor([*app.always, *(app.workers if inline else ())])
        server = app.rpc_server if self._mode == "serve" else None
        supervisor.start()
        try:
            if server is not None:
                await server.start()
            log.info(
                "started", mode=self._mode, grpc_port=server.port if server else None, ops_port=self._ops.port
            )
            become_ready = asyncio.create_task(self._become_ready(app, server))
            await self._until_stopped(become_ready)
        finally:
            self._not_ready = "stopping"
            if server is not None:
                await server.stop(GRACE_SECONDS)
            await supervisor.stop(GRACE_SECONDS)

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

    async def _become_ready(self, app: App, server: RpcServer | None) -> None:
        while (waiting_for := await _awaited(app)) is not None:
            self._not_ready = waiting_for
            await asyncio.sleep(READY_POLL_SECONDS)
        # What start-up made stays. A full collection would look through it each time, 50 ms amid a burst.
        gc.collect()
        gc.freeze()
        self._not_ready = None
        if self._settings.ready_file:
            content = {
                "pid": os.getpid(),
                "grpc": _local_address(self._settings.grpc_bind, server.port) if server else None,
                "ops_url": "http://" + _local_address(self._settings.ops_bind, self._ops.port),
            }
            await asyncio.to_thread(partial(write_ready_file, Path(self._settings.ready_file), content))
        log.info("ready")

    async def _readiness(self) -> str | None:
        return "stopping" if self._stop.is_set() else self._not_ready

    def _asked_to_stop(self, number: int) -> None:
        if not self._stop.is_set():
            log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()


async def _awaited(app: App) -> str | None:
    """What the app is still waiting for; None when it is ready."""
    try:
        answer = await app.ready()
    except Exception as error:
        log.warning("ready_check_failed", exc_info=True)
        return type(error).__name__
    if answer is True:
        return None
    return answer or "waiting for what it depends on"


def _local_address(bind: str, port: int) -> str:
    """Where a neighbour on this machine reaches a bound address."""
    host = bind.rpartition(":")[0]
    return f"{'127.0.0.1' if host in {'0.0.0.0', '[::]'} else host}:{port}"  # noqa: S104 - compared, not bound
