"""Two of each behind one another, and each replaced in its turn while students save: no save fails."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from examhall_local.statedir import StateDir
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, Student
from tests.harness.system import System, free_port

WRITERS = 8
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


def exam_replica(system: System, folder: Path, number: int) -> Replica:
    known = StateDir(system.state_dir).read_settings("exam")
    return Replica(
        "exam_service",
        known
        | {
            "GRPC_BIND": f"127.0.0.1:{free_port()}",
            "OPS_BIND": "127.0.0.1:0",
            "WORKERS": "off",
            "READY_FILE": str(folder / f"exam-{number}.json"),
        },
    )


def gateway_replica(system: System, folder: Path, number: int, exams: list[Replica]) -> Replica:
    known = StateDir(system.state_dir).read_settings("gateway")
    return Replica(
        "exam_gateway",
        known
        | {
            "HTTP_BIND": f"127.0.0.1:{free_port()}",
            "OPS_BIND": "127.0.0.1:0",
            "EXAM_TARGET": "ipv4:" + ",".join(exam.settings["GRPC_BIND"] for exam in exams),
            "READY_FILE": str(folder / f"gateway-{number}.json"),
        },
    )


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


@pytest.mark.skip(reason="on a loaded machine some saves get 503 as an exam leaves: not understood")
async def test_no_save_fails_while_everything_is_replaced(
    system: System, admin: Admin, students: Class, bank: Bank, tmp_path: Path
) -> None:
    exam_id = await admin.exam(bank[1])
    everybody = await students(WRITERS)
    exams = [exam_replica(system, tmp_path, number) for number in range(2)]
    gateways = [gateway_replica(system, tmp_path, number, exams) for number in range(2)]
    async with running([*exams, *gateways]):
        clients = [
            httpx.AsyncClient(base_url=f"http://{gateway.settings['HTTP_BIND']}", timeout=30)
            for gateway in gateways
        ]
        rotation = list(clients)
        writers = [Writer(student, await student.start(exam_id), rotation) for student in everybody]

        async def all_get_on() -> None:
            reached = [writer.saved for writer in writers]
            await eventually(
                lambda: all(one.saved > at + 5 for one, at in zip(writers, reached, strict=True)), timeout=60
            )

        async with asyncio.TaskGroup() as work:
            for writer in writers:
                work.create_task(writer.write())
            await all_get_on()
            for exam in exams:
                clients_before = exam.connections()
                await exam.stop()
                await all_get_on()
                await exam.start()
                # As `minReadySeconds` does in a cluster: the next one goes when this one was found again.
                await eventually(lambda: exam.connections() >= clients_before, timeout=60)  # noqa: B023
                await all_get_on()
            for gateway, client in zip(gateways, clients, strict=True):
                rotation.remove(client)
                await gateway.stop()
                await all_get_on()
                await gateway.start()
                rotation.append(client)
                await all_get_on()
            for writer in writers:
                writer.stopped = True
        for client in clients:
            await client.aclose()
    assert [writer.failed for writer in writers] == [[]] * WRITERS
    for writer in writers:
        resumed = await writer.student.ok("GET", f"/student/resume/{exam_id}")
        assert {one["revision"] for one in resumed["saved_answers"].values()} == {writer.saved}
