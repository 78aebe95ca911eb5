"""A service's process: `python -m exam_service serve | work | migrate | check-config | queues | …`.

`serve` runs the gRPC server, and the workers too where WORKERS=inline; `work` runs the workers alone.
`await-schema` returns once the schema is as far as the code needs it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from examkit import logs, process
from examkit.errors import AppError
from examkit.ops import ReadyCheck
from examkit.rpc.server import RpcServer
from examkit.settings import (
    BrokerSettings,
    MigrationSettings,
    SchemaSettings,
    ServiceSettings,
    SettingsError,
    from_environment,
)
from examkit.workers import Worker

STEPS = ("pre", "post")
COMMANDS = ("serve", "work", "migrate", "await-schema", "check-config", "queues")
SCHEMA_POLL_SECONDS = 2.0

S = TypeVar("S", bound=ServiceSettings)
Mode = Literal["serve", "work"]


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
    workers and `ready`, so that a service starts without its dependencies. `queues` are those it consumes.
    """

    name: str
    package: str
    settings: type[S]
    build: Callable[[S], AbstractAsyncContextManager[App]]
    queues: Sequence[str] = ()


def main(definition: ServiceDefinition[Any], argv: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 done, 1 failed, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog=f"python -m {definition.package}")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--steps", nargs="+", choices=STEPS, default=STEPS, help="of migrate: before or after a roll-out"
    )
    parser.add_argument(
        "--resend", choices=definition.queues, help="of queues: send the dead letters of this one again"
    )
    arguments = parser.parse_args(argv)
    command = arguments.command
    try:
        if command == "migrate":
            _migrate(definition, arguments.steps)
        elif command == "await-schema":
            _await_schema(definition)
        elif command == "check-config":
            _check(definition)
        elif command == "queues":
            _queues(definition, arguments.resend)
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


def _await_schema(definition: ServiceDefinition[Any]) -> None:
    from examkit.migrate import is_current

    settings = from_environment(SchemaSettings)
    while not is_current(definition.package, settings.database_url, settings.db_schema):
        print(f"waiting for the schema {settings.db_schema}", file=sys.stderr)
        time.sleep(SCHEMA_POLL_SECONDS)


def _check(definition: ServiceDefinition[S]) -> None:
    settings = from_environment(definition.settings)
    problems = settings.tls.unreadable()
    if problems:
        raise SettingsError(problems)
    print("The settings are complete.")


def _queues(definition: ServiceDefinition[Any], resend: str | None) -> None:
    try:
        asyncio.run(_look_at_queues(definition, resend))
    except AppError as error:
        print(error.detail, file=sys.stderr)
        sys.exit(1)


async def _look_at_queues(definition: ServiceDefinition[Any], resend: str | None) -> None:
    from examkit import queues
    from examkit.messaging import Bus

    bus = Bus(from_environment(BrokerSettings).rabbitmq_url)
    try:
        if resend:
            print(f"{resend}: {await queues.send_again(bus, resend)} sent again")
            return
        for queue in definition.queues:
            print("\n".join(queues.lines(await queues.look(bus, queue))))
    finally:
        await bus.close()


def _run(definition: ServiceDefinition[S], mode: Mode) -> None:
    settings = from_environment(definition.settings)

    @asynccontextmanager
    async def build(_not_ready: ReadyCheck) -> AsyncIterator[process.Parts]:
        async with definition.build(settings) as app:
            yield _parts(app, settings, mode)

    process.run(settings.service_name or definition.name, settings, build)


def _parts(app: App, settings: ServiceSettings, mode: Mode) -> process.Parts:
    inline = mode == "work" or settings.workers == "inline"
    server = app.rpc_server if mode == "serve" else None

    def addresses() -> dict[str, str | None]:
        return {"grpc": process.local_address(settings.grpc_bind, server.port) if server else None}

    return process.Parts(
        server=server,
        workers=[*app.always, *(app.workers if inline else ())],
        not_ready=partial(_not_ready, app),
        addresses=addresses,
    )


async def _not_ready(app: App) -> str | None:
    """What the app is still waiting for; None when it is ready."""
    answer = await app.ready()
    return None if answer is True else answer or "waiting for what it depends on"
