"""A real gateway on loopback, in front of faked services."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from exam_gateway.bootstrap import Gateway, build
from exam_gateway.server import HttpServer
from exam_gateway.settings import GatewaySettings
from examkit.testing import eventually
from examkit.tls import TlsFiles
from examkit.workers import Supervisor

for _name in ("samples", "running_samples", "fakes"):
    # Tests are imported by path (importmode=importlib), so what they share is put in place by hand.
    _spec = importlib.util.spec_from_file_location(
        f"gateway_{_name}", Path(__file__).with_name(f"{_name}.py")
    )
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[f"gateway_{_name}"] = _module
    _spec.loader.exec_module(_module)

from gateway_fakes import Fakes  # noqa: E402

Run = Callable[..., Any]


@pytest.fixture(scope="session")
async def services(certificates: Callable[[str], TlsFiles]) -> AsyncIterator[Fakes]:
    fakes = Fakes()
    await fakes.start(certificates)
    yield fakes
    await fakes.stop()


@pytest.fixture
def fakes(services: Fakes) -> Fakes:
    services.reset()
    return services


class Running:
    """A gateway that listens, and clients for it."""

    def __init__(self, gateway: Gateway, server: HttpServer, fakes: Fakes) -> None:
        self.gateway = gateway
        self.server = server
        self.url = server.url
        self.fakes = fakes
        self.anonymous = httpx.AsyncClient(base_url=self.url, timeout=15)
        self.student = self.client("student")
        self.admin = self.client("admin")

    def client(self, role: str, **claims: Any) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {self.fakes.token(role, **claims)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=15)


@pytest.fixture(scope="session")
def run(services: Fakes, certificates: Callable[[str], TlsFiles]) -> Run:
    @asynccontextmanager
    async def start(**changes: Any) -> AsyncIterator[Running]:
        settings = GatewaySettings(
            auth_target=services.addresses["auth"],
            exam_target=services.addresses["exam"],
            grading_target=services.addresses["grading"],
            import_target=services.addresses["import"],
            cors_origins=("https://exams.example.org",),
            rate_limits=False,
            cookie_secure=False,
            identities={name: certificates(f"gateway-{name}") for name in ("student", "staff")},
        )

        async def ready() -> None:
            return None

        settings = replace(settings, **changes)
        async with build(settings, ready) as gateway:
            supervisor = Supervisor(gateway.workers)
            supervisor.start()
            server = HttpServer(
                gateway.app,
                "127.0.0.1:0",
                quick=gateway.quick,
                most_connections=settings.max_connections,
                end_streams=gateway.live.stop,
            )
            await server.start()

            async def is_ready() -> bool:
                return await gateway.ready() is None

            await eventually(is_ready)
            running = Running(gateway, server, services)
            try:
                yield running
            finally:
                for client in (running.anonymous, running.student, running.admin):
                    await client.aclose()
                await server.stop(10)
                await supervisor.stop()

    return start


@pytest.fixture(scope="session")
async def shared(run: Run) -> AsyncIterator[Running]:
    async with run() as running:
        yield running


@pytest.fixture
def gateway(shared: Running, fakes: Fakes) -> Running:
    """One gateway for all tests that need no settings of their own."""
    shared.anonymous.cookies.clear()
    return shared
