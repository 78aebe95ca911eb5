"""Two of each behind one another, replaced in turn while students save, or one that hangs: no save fails."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from examhall_local.statedir import StateDir
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, Student
from tests.harness.system import System, free_port

WRITERS = 8
PACKAGES = {"exam": "exam_service", "gateway": "exam_gateway"}
ESTABLISHED = "01"
"""In /proc/net/tcp."""


@dataclass
class Replica:
    """One more process of the system, beside those that it keeps itself, always at the same address."""

    package: str
    settings: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        ready = Path(self.settings["READY_FILE"])
        ready.unlink(missing_ok=True)
        log = ready.with_suffix(".log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.package,
            "serve",
            env=os.environ | self.settings,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
        )
        log.close()
        await eventually(lambda: ready.exists() and self._is_ready(json.loads(ready.read_text())), timeout=60)

    @staticmethod
    async def _is_ready(told: Json) -> bool:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{told['ops_url']}/readyz")).status_code == 200

    def connections(self) -> int:
        """How many clients are connected to its gRPC port."""
        port = f":{int(self.settings['GRPC_BIND'].rpartition(':')[2]):04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(1 for row in rows if row[1].endswith(port) and row[3] == ESTABLISHED)

    async def stop(self) -> None:
        """As a cluster does: SIGTERM, and then it takes as long as it takes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), 60) == 0

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It keeps its connections, and does nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def replica(system: System, folder: Path, service: str, number: int, **own: str) -> Replica:
    """A process like the one that the system keeps, but for what is its `own`."""
    kept = StateDir(system.state_dir).read_settings(service)
    apart = {"OPS_BIND": "127.0.0.1:0", "READY_FILE": str(folder / f"{service}-{number}.json")}
    return Replica(PACKAGES[service], kept | apart | own)


def free_address() -> str:
    return f"127.0.0.1:{free_port()}"


@asynccontextmanager
async def running(replicas: list[Replica]) -> AsyncIterator[None]:
    try:
        for replica in replicas:
            await replica.start()
        yield
    finally:
        for replica in replicas:
            if replica.process is not None and replica.process.returncode is None:
                replica.process.kill()
                await replica.process.wait()


@dataclass
class Writer:
    """Saves one answer after the other, each through a gateway that takes new requests."""

    student: Student
    attempt: Json
    rotation: list[httpx.AsyncClient]
    saved: int = 0
    failed: list[str] = field(default_factory=list)
    stopped: bool = False

    async def write(self) -> None:
        question = next(one["id"] for one in self.attempt["questions"] if one["type"] == "text")
        revision = 0
        while not self.stopped:
            revision += 1
            body = {"student_exam_id": self.attempt["student_exam_id"], "question_id": question}
            answer = body | {"answer": f"Draft {revision}", "revision": revision}
            client = self.rotation[revision % len(self.rotation)]
            headers = {"Authorization": f"Bearer {self.student.token}"}
            try:
                reply = await client.post("/api/v1/student/save-answer", json=answer, headers=headers)
            except httpx.TransportError as error:
                self.failed.append(repr(error))
            else:
                if reply.status_code == 200:
                    self.saved += 1
                else:
                    self.failed.append(reply.text)


class Pairs:
    """Two exams, two gateways before them, and students who save through both without a pause."""

    def __init__(self, system: System, folder: Path) -> None:
        self.exams = [
            replica(system, folder, "exam", number, GRPC_BIND=free_address(), WORKERS="off")
            for number in range(2)
        ]
        target = "ipv4:" + ",".join(exam.settings["GRPC_BIND"] for exam in self.exams)
        self.gateways = [
            replica(system, folder, "gateway", number, HTTP_BIND=free_address(), EXAM_TARGET=target)
            for number in range(2)
        ]
        self.clients = [
            httpx.AsyncClient(base_url=f"http://{gateway.settings['HTTP_BIND']}", timeout=30)
            for gateway in self.gateways
        ]
        self.rotation = list(self.clients)
        self.writers: list[Writer] = []

    @asynccontextmanager
    async def written_to(self, students: list[Student], exam_id: str) -> AsyncIterator[None]:
        """All save while the block runs; none of their saves has failed, and the last of each is there."""
        self.writers = [Writer(one, await one.start(exam_id), self.rotation) for one in students]
        async with running([*self.exams, *self.gateways]):
            async with asyncio.TaskGroup() as work:
                for writer in self.writers:
                    work.create_task(writer.write())
                await self.all_get_on()
                yield
                for writer in self.writers:
                    writer.stopped = True
            for client in self.clients:
                await client.aclose()
        assert [writer.failed for writer in self.writers] == [[]] * len(self.writers)
        for writer in self.writers:
            resumed = await writer.student.ok("GET", f"/student/resume/{exam_id}")
            assert {one["revision"] for one in resumed["saved_answers"].values()} == {writer.saved}

    async def all_get_on(self) -> None:
        reached = [writer.saved for writer in self.writers]
        await eventually(
            lambda: all(one.saved > at + 5 for one, at in zip(self.writers, reached, strict=True)), timeout=60
        )


async def test_no_save_fails_while_everything_is_replaced(
    system: System, admin: Admin, students: Class, bank: Bank, tmp_path: Path
) -> None:
    exam_id = await admin.exam(bank[1])
    pairs = Pairs(system, tmp_path)
    async with pairs.written_to(await students(WRITERS), exam_id):
        for exam in pairs.exams:
            clients_before = exam.connections()
            await exam.stop()
            await pairs.all_get_on()
            await exam.start()
            # As `minReadySeconds` does in a cluster: the next one goes when this one was found again.
            await eventually(lambda: exam.connections() >= clients_before, timeout=60)  # noqa: B023
            await pairs.all_get_on()
        for gateway, client in zip(pairs.gateways, pairs.clients, strict=True):
            pairs.rotation.remove(client)
            await gateway.stop()
            await pairs.all_get_on()
            await gateway.start()
            pairs.rotation.append(client)
            await pairs.all_get_on()


async def test_no_save_fails_while_one_of_two_exams_hangs(
    system: System, admin: Admin, students: Class, bank: Bank, tmp_path: Path
) -> None:
    exam_id = await admin.exam(bank[1])
    pairs = Pairs(system, tmp_path)
    async with pairs.written_to(await students(WRITERS), exam_id):
        with pairs.exams[0].hung():
            await pairs.all_get_on()
            await pairs.all_get_on()
        await pairs.all_get_on()
