"""Does to a running system what the plan of faults says, and records what was done."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import psycopg
from examhall_local.processes import ProcessRef, is_alive, ref, send, working_in
from examhall_local.rabbitmq import PrivateRabbit
from examhall_local.statedir import StateDir

from tests.chaos.beside import Beside
from tests.chaos.disk import SmallDisk
from tests.chaos.faults import Planned
from tests.chaos.history import Fault, History, now
from tests.chaos.wire import Wire
from tests.harness.system import System

_COMES_BACK_WITHIN = 3.0
"""Seconds. What takes longer is left in peace: the calm after the storm is for it."""


class NotPossibleError(Exception):
    """What was to be harmed is not there at the moment."""


class Injector:
    """Applies faults, several at a time where the plan has it so. Ends with everything lifted."""

    def __init__(
        self, system: System, beside: Beside, history: History, disk: SmallDisk | None = None
    ) -> None:
        self._system = system
        self._beside = beside
        self._folder = StateDir(system.state_dir)
        self._history = history
        self._disk = disk
        self._ways: dict[str, Callable[[Planned], Awaitable[None]]] = {
            "kill": self._kill,
            "kill broker": self._kill,
            "several": self._kill,
            "restart": self._restart,
            "pause": self._pause,
            "disconnect": self._disconnect,
            "cut off": self._cut_off,
            "silence": self._silence,
            "cut wire": self._cut,
            "refuse": self._refuse,
            "kill backend": self._kill_backend,
            "drop": self._drop,
            "backlog": self._backlog,
            "full disk": self._fill,
        }

    async def run(self, plan: Sequence[Planned]) -> None:
        """Do all of it, each at its time; returns when the last is lifted."""
        began = now()
        async with asyncio.TaskGroup() as faults:
            for planned in plan:
                await asyncio.sleep(max(0.0, began + planned.at - now()))
                faults.create_task(self._apply(planned))

    async def _apply(self, planned: Planned) -> None:
        began, skipped = now(), ""
        try:
            await self._ways[planned.kind](planned)
        except (NotPossibleError, psycopg.Error) as problem:
            skipped = str(problem).splitlines()[0]
        self._history.faults.append(
            Fault(kind=planned.kind, targets=planned.targets, began=began, lifted=now(), skipped=skipped)
        )

    async def _process(self, name: str) -> ProcessRef:
        """The living process; one that was just killed is waited for."""
        until = now() + _COMES_BACK_WITHIN
        while now() < until:
            found = self._beside.process(name) or self._folder.read_processes().get(name)
            if found is not None and is_alive(found):
                return found
            await asyncio.sleep(0.05)
        raise NotPossibleError(f"{name} is away")

    async def _kill(self, planned: Planned) -> None:
        for process in [await self._process(name) for name in planned.targets]:
            send(process, signal.SIGKILL)

    async def _restart(self, planned: Planned) -> None:
        for name in planned.targets:
            # Postgres would wait for its clients to go.
            send(await self._process(name), signal.SIGINT if name == "postgres" else signal.SIGTERM)

    async def _pause(self, planned: Planned) -> None:
        (name,) = planned.targets
        process = await self._process(name)
        # Postgres's backends would go on without it.
        await _hold([process, *(self._family() if name == "postgres" else ())], planned.lasts)

    def _family(self) -> list[ProcessRef]:
        return working_in(self._system.state_dir / "postgres" / "data")

    async def _disconnect(self, planned: Planned) -> None:
        (service,) = planned.targets
        await asyncio.to_thread(
            self._ask, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", service
        )

    async def _cut_off(self, planned: Planned) -> None:
        await _hold(await self._backends(planned), planned.lasts)

    def _wire(self, planned: Planned) -> Wire:
        (name,) = planned.targets
        wire = self._beside.wires[name]
        if wire.is_harmed:
            raise NotPossibleError("something else is done to the wire")
        return wire

    async def _silence(self, planned: Planned) -> None:
        with self._wire(planned).silent():
            await asyncio.sleep(planned.lasts)

    async def _cut(self, planned: Planned) -> None:
        if not self._wire(planned).cut():
            raise NotPossibleError("nobody is connected")

    async def _refuse(self, planned: Planned) -> None:
        async with self._wire(planned).refused():
            await asyncio.sleep(planned.lasts)

    async def _kill_backend(self, planned: Planned) -> None:
        send((await self._backends(planned))[0], signal.SIGKILL)

    async def _backends(self, planned: Planned) -> list[ProcessRef]:
        (service,) = planned.targets
        query = "SELECT pid FROM pg_stat_activity WHERE usename = %s"
        pids = await asyncio.to_thread(self._ask, query, service)
        found = [process for pid in pids if (process := ref(pid))]
        if not found:
            raise NotPossibleError(f"{service} has no connection")
        return found

    def _ask(self, query: str, service: str) -> list[int]:
        dsn = self._system.state()["postgres"]["dsn"]
        with psycopg.connect(dsn, connect_timeout=2, options="-c statement_timeout=3000") as connection:
            return [row[0] for row in connection.execute(query, [f"{service}_serve"])]

    async def _drop(self, _planned: Planned) -> None:
        done = await asyncio.to_thread(
            PrivateRabbit(self._system.state_dir).control, "close_all_connections", "chaos"
        )
        if done.returncode:
            raise NotPossibleError("RabbitMQ is away")

    async def _backlog(self, planned: Planned) -> None:
        grading, postgres = await self._process("grading"), await self._process("postgres")
        await _hold([grading], planned.lasts)
        # The heap that waited arrives at once.
        await asyncio.sleep(0.02)
        send(postgres, signal.SIGKILL)

    async def _fill(self, planned: Planned) -> None:
        if self._disk is None:
            raise NotPossibleError("its disk is not ours to fill")
        with self._disk.filled():
            await asyncio.sleep(planned.lasts)


async def _hold(processes: Sequence[ProcessRef], lasts: float) -> None:
    try:
        for process in processes:
            send(process, signal.SIGSTOP)
        await asyncio.sleep(lasts)
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                send(process, signal.SIGCONT)
