"""A second gateway, exam and grading beside those that the system keeps, joined to the rest by wires."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from examhall_local.http_probe import answers
from examhall_local.keeper import Keeper
from examhall_local.plan import base_environment
from examhall_local.ports import KeptPorts
from examhall_local.processes import ProcessRef, spawn
from examhall_local.statedir import StateDir
from examkit.testing.waiting import eventually

from tests.chaos.wire import Wire
from tests.harness.system import System

_PACKAGES = {"exam": "exam_service", "grading": "grading_service", "gateway": "exam_gateway"}
_UP_WITHIN = 90.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Second:
    """The second process of its kind: its variables, and where it can be asked how it is."""

    kind: str
    settings: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.kind} 2"

    @property
    def ops_url(self) -> str:
        return f"http://{self.settings['OPS_BIND']}"


class Beside:
    """`door`: where the second gateway serves. `wires`: by name, such as "gateway to exam": between the
    second one of the first kind, and the second one of the other where there are two."""

    def __init__(self, system: System, say: Say) -> None:
        self._folder = StateDir(system.state_dir)
        self._ports = KeptPorts(self._folder.ports)
        self._say = say
        self.wires: dict[str, Wire] = {}
        grading, exam = (self._second(kind, self._grpc(kind)) for kind in ("grading", "exam"))
        self._seconds = [grading, exam, self._gateway(exam)]
        self._keepers: dict[str, Keeper] = {}

    @property
    def door(self) -> tuple[str, int]:
        host, _, port = self._seconds[-1].settings["HTTP_BIND"].rpartition(":")
        return host, int(port)

    def process(self, name: str) -> ProcessRef | None:
        """What runs under this name; None where nothing does, or nobody has it."""
        keeper = self._keepers.get(name)
        return keeper.process if keeper else None

    def not_ready(self) -> list[str]:
        """Who of them does not say that it is ready. Blocks."""
        return [one.name for one in self._seconds if not answers(f"{one.ops_url}/readyz")]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All of it started, and down at the end."""
        try:
            for wire in self.wires.values():
                await wire.open()
            await asyncio.to_thread(self._start)
            yield
        finally:
            await asyncio.to_thread(self._stop)
            for wire in self.wires.values():
                await wire.close()

    async def up(self) -> None:
        """Returns when all of them are ready. Raises AssertionError where they do not get so."""

        async def are_ready() -> bool:
            return not await asyncio.to_thread(self.not_ready)

        await eventually(are_ready, timeout=_UP_WITHIN, every=0.2)

    def _start(self) -> None:
        for second in self._seconds:
            launch = partial(
                spawn,
                [sys.executable, "-m", _PACKAGES[second.kind], "serve"],
                state_dir=self._folder.path,
                log=self._folder.logs / f"{second.name.replace(' ', '-')}.log",
                env={**base_environment(os.environ), **second.settings},
            )
            keeper = self._keepers[second.name] = Keeper(
                second.name, launch, changed=lambda: None, say=self._say
            )
            keeper.start()

    def _stop(self) -> None:
        for second in reversed(self._seconds):
            if second.name in self._keepers:
                self._keepers[second.name].stop(30.0)

    def _grpc(self, kind: str) -> Mapping[str, str]:
        return {"GRPC_BIND": self._bind(f"{kind} 2 grpc")}

    def _gateway(self, exam: _Second) -> _Second:
        auth = self._folder.read_settings("gateway")["AUTH_TARGET"]
        targets = {
            "EXAM_TARGET": self._wire("gateway to exam", exam.settings["GRPC_BIND"]),
            "AUTH_TARGET": self._wire("gateway to auth", auth),
        }
        return self._second("gateway", {"HTTP_BIND": self._bind("gateway 2 http"), **targets})

    def _second(self, kind: str, own: Mapping[str, str]) -> _Second:
        settings = {**self._folder.read_settings(kind), "OPS_BIND": self._bind(f"{kind} 2 ops"), **own}
        if kind != "gateway":
            for name, far in (("DATABASE_URL", "postgres"), ("RABBITMQ_URL", "rabbitmq")):
                url = urlsplit(settings[name])
                there = f"{url.hostname}:{url.port}"
                settings[name] = settings[name].replace(there, self._wire(f"{kind} to {far}", there))
        return _Second(kind, settings)

    def _bind(self, name: str) -> str:
        return f"127.0.0.1:{self._ports.claim(name)}"

    def _wire(self, name: str, far_end: str) -> str:
        host, _, port = far_end.rpartition(":")
        wire = self.wires[name] = Wire(self._ports.claim(f"{name} wire"), (host, int(port)))
        return wire.address
