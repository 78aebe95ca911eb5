"""A service's process from the command line: readiness, work in progress, SIGTERM. In a real subprocess."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from examkit.errors import AppError, Kind
from examkit.rpc.client import call, connect

ECHO = "examhall.test.v1.Echo"

SERVICE = '''
"""A service for tests: echoes, slowly if asked to; its worker crashes once."""
import asyncio, os, pathlib, sys
from contextlib import asynccontextmanager
import grpc
from examkit.app import App, ServiceDefinition, main
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.settings import ServiceSettings
from examkit.workers import FunctionWorker

FOLDER = pathlib.Path(sys.argv.pop())
ECHO = "examhall.test.v1.Echo"

class NoTokens:
    async def verify(self, token):
        raise AssertionError

begun = 0
async def say(request, context):
    global begun
    begun += 1
    if request == b"work":
        await asyncio.sleep(0.01)
    if request == b"slow":
        (FOLDER / "slow").touch()
        while not (FOLDER / "go").exists():
            await asyncio.sleep(0.01)
    return request

runs = 0
async def worker():
    global runs
    runs += 1
    (FOLDER / f"worker-{runs}").touch()
    if runs == 1:
        raise RuntimeError("crash")
    try:
        await asyncio.Event().wait()
    finally:
        (FOLDER / "worker-ended").touch()

async def ready():
    return True if (FOLDER / "dependency").exists() else "waiting for the dependency"

@asynccontextmanager
async def build(settings):
    server = RpcServer(settings.grpc_bind, settings.tls, {ECHO: allow("grading")}, NoTokens())
    handlers = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ECHO, handlers),))
    yield App(server, [FunctionWorker("test", worker)], ready)
    (FOLDER / "closed").write_text(str(begun))

main(ServiceDefinition("exam", "test_service", ServiceSettings, build))
'''


class Running:
    """A started service."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process

    async def appears(self, name: str) -> Path:
        path = self.folder / name
        async with asyncio.timeout(20.0):
            while not path.exists():
                assert self.process.returncode is None, "the service ended early"
                await asyncio.sleep(0.01)
        return path

    async def addresses(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.appears("ready.json")).read_text())
        return found

    async def ended(self) -> int:
        async with asyncio.timeout(20.0):
            return await self.process.wait()


@asynccontextmanager
async def service(folder: Path, pki: Any, *command: str, **env: str) -> AsyncIterator[Running]:
    files = pki.files("exam")
    script = folder / "service.py"
    script.write_text(SERVICE)
    settings = {
        "DATABASE_URL": "postgresql://exam@127.0.0.1/none",
        "DB_SCHEMA": "exam",
        "RABBITMQ_URL": "amqp://127.0.0.1/none",
        "TLS_CA": str(files.ca),
        "TLS_CERT": str(files.cert),
        "TLS_KEY": str(files.key),
        "READY_FILE": str(folder / "ready.json"),
        "PATH": os.environ["PATH"],
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        *command,
        str(folder),
        env=settings | env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Running(folder, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_is_ready_when_its_dependency_was_there_once(tmp_path: Path, pki: Any) -> None:
    (tmp_path / "ready.json").write_text("{}")
    async with service(tmp_path, pki, "serve") as running:
        await running.appears("worker-2")
        assert not (tmp_path / "ready.json").exists()
        (tmp_path / "dependency").touch()
        addresses = await running.addresses()
        assert addresses["pid"] == running.process.pid
        async with httpx.AsyncClient(base_url=addresses["ops_url"]) as ops:
            assert (await ops.get("/readyz")).status_code == 200
            (tmp_path / "dependency").unlink()
            assert (await ops.get("/readyz")).status_code == 200
            metrics = (await ops.get("/metrics")).text
        assert 'examhall_worker_crashes_total{worker="test"} 1.0' in metrics


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_calls_finish_and_ends_cleanly(tmp_path: Path, pki: Any, number: int) -> None:
    (tmp_path / "dependency").touch()
    async with service(tmp_path, pki, "serve") as running:
        addresses = await running.addresses()
        await running.appears("worker-2")
        channel = connect(addresses["grpc"], server="exam", tls=pki.files("grading"))
        under_way = asyncio.create_task(call(channel.unary_unary(f"/{ECHO}/Say"), b"slow", timeout=15.0))
        await running.appears("slow")
        running.process.send_signal(number)
        async with httpx.AsyncClient(base_url=addresses["ops_url"]) as ops:
            async with asyncio.timeout(5.0):
                while (await ops.get("/readyz")).status_code == 200:
                    await asyncio.sleep(0.01)
            assert (await ops.get("/readyz")).json()["reason"] == "stopping"
            assert (await ops.get("/healthz")).status_code == 200
        assert not (tmp_path / "worker-ended").exists()
        (tmp_path / "go").touch()
        assert await under_way == b"slow"
        await channel.close()
        assert await running.ended() == 0
    assert (tmp_path / "worker-ended").exists()
    assert (tmp_path / "closed").exists()


async def test_under_load_every_call_that_began_is_answered(tmp_path: Path, pki: Any) -> None:
    (tmp_path / "dependency").touch()
    async with service(tmp_path, pki, "serve") as running:
        target = (await running.addresses())["grpc"]
        answered = 0
        busy = asyncio.Event()

        async def calls() -> Kind:
            """One after the other, until the service lets no more in; as what it refuses that."""
            nonlocal answered
            channel = connect(target, server="exam", tls=pki.files("grading"))
            try:
                while True:
                    await call(channel.unary_unary(f"/{ECHO}/Say"), b"work", timeout=15.0)
                    answered += 1
                    if answered == 200:
                        busy.set()
            except AppError as refusal:
                return refusal.kind
            finally:
                await channel.close()

        callers = [asyncio.create_task(calls()) for _ in range(20)]
        async with asyncio.timeout(20.0):
            await busy.wait()
            running.process.send_signal(signal.SIGTERM)
            assert set(await asyncio.gather(*callers)) == {Kind.UNAVAILABLE}
        assert await running.ended() == 0
    assert int((tmp_path / "closed").read_text()) == answered


async def test_workers_run_apart_from_the_server(tmp_path: Path, pki: Any) -> None:
    (tmp_path / "dependency").touch()
    async with service(tmp_path, pki, "work", WORKERS="off") as running:
        await running.appears("worker-2")
        assert (await running.addresses())["grpc"] is None
    other = tmp_path / "other"
    other.mkdir()
    (other / "dependency").touch()
    async with service(other, pki, "serve", WORKERS="off") as running:
        assert (await running.addresses())["grpc"]
        assert not (other / "worker-1").exists()


async def test_settings_that_are_wrong_stop_it_before_it_starts(tmp_path: Path, pki: Any) -> None:
    wrong = {"DATABASE_URL": "", "TLS_CA": "", "DB_POOL_SIZE": "0"}
    for command in ("serve", "check-config"):
        async with service(tmp_path, pki, command, **wrong) as running:
            output, _ = await running.process.communicate()
            assert running.process.returncode == 2
            assert all(name in output.decode() for name in wrong)


async def test_check_config_looks_at_the_certificates_too(tmp_path: Path, pki: Any) -> None:
    for key, status in (("", 0), ("/nowhere/exam.key", 2)):
        async with service(tmp_path, pki, "check-config", **({"TLS_KEY": key} if key else {})) as running:
            output, _ = await running.process.communicate()
            assert (running.process.returncode, key in output.decode()) == (status, True)


async def test_an_address_that_is_taken_ends_the_process(tmp_path: Path, pki: Any) -> None:
    (tmp_path / "dependency").touch()
    async with service(tmp_path, pki, "serve") as running:
        taken = (await running.addresses())["grpc"]
        other = tmp_path / "other"
        other.mkdir()
        async with service(other, pki, "serve", GRPC_BIND=taken) as second:
            await second.process.communicate()
            assert second.process.returncode == 1
