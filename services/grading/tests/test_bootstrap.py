"""The process as it is wired: what it needs to be ready, and that it serves all that its policies name."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from examkit.rpc.client import connect
from examkit.rpc.policy import allow, service_names
from examkit.rpc.server import RpcServer
from examkit.settings import SettingsError, load
from examkit.testing import TestDatabase, eventually
from examkit.tls import TlsFiles
from examprotos.auth.v1 import keys_pb2, keys_pb2_grpc
from examprotos.common.v1 import audit_pb2
from examprotos.grading.v1 import keys_pb2 as grading_keys_pb2
from examprotos.grading.v1 import marking_pb2, regrading_pb2, results_pb2, statistics_pb2
from grading_service.bootstrap import build
from grading_service.rpc.policies import POLICIES
from grading_service.settings import Settings

from .fakes import Certificates, NoTokens

NOBODY = "127.0.0.1:1"
HANDLERS = [
    service
    for module in (grading_keys_pb2, marking_pb2, regrading_pb2, results_pb2, statistics_pb2, audit_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
]


class FakeAuth(keys_pb2_grpc.KeysServicer):
    """Has one key, and revoked nothing."""

    async def GetJwks(self, request: Any, context: Any) -> keys_pb2.GetJwksResponse:
        public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        key = {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x}
        return keys_pb2.GetJwksResponse(jwks_json=json.dumps({"keys": [key]}).encode())

    async def ListRevocations(self, request: Any, context: Any) -> keys_pb2.ListRevocationsResponse:
        return keys_pb2.ListRevocationsResponse()


@pytest.fixture
async def auth(certificates: Certificates) -> AsyncIterator[str]:
    """Where auth is."""
    server = RpcServer(
        "127.0.0.1:0", certificates("auth"), {"examhall.auth.v1.Keys": allow("grading")}, NoTokens()
    )
    keys_pb2_grpc.add_KeysServicer_to_server(FakeAuth(), server.grpc)
    yield f"127.0.0.1:{await server.start()}"
    await server.stop(0)


def environment(database: TestDatabase, tls: TlsFiles, **changes: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database.serve_dsn,
        "DB_SCHEMA": "grading",
        "RABBITMQ_URL": "amqp://grading:grading@127.0.0.1:1/",
        "TLS_CA": str(tls.ca),
        "TLS_CERT": str(tls.cert),
        "TLS_KEY": str(tls.key),
        "AUTH_TARGET": NOBODY,
        "EXAM_TARGET": NOBODY,
    } | changes


async def test_every_service_of_the_policies_is_served(
    database: TestDatabase, certificates: Certificates
) -> None:
    settings = load(Settings, environment(database, certificates("grading")))
    async with build(settings) as app:
        assert app.rpc_server is not None
        port = await app.rpc_server.start()
        operator = connect(f"127.0.0.1:{port}", server="grading", tls=certificates("operator"))
        assert {handlers.full_name for handlers in HANDLERS} == set(service_names(POLICIES))
        for handlers in HANDLERS:
            for method in handlers.methods:
                probe = operator.unary_unary(f"/{handlers.full_name}/{method.name}")
                with pytest.raises(grpc.aio.AioRpcError) as failure:
                    await probe(b"", timeout=10)
                # Refused and not unknown: it is there, and an operator may not call it.
                assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED, method.full_name
        await operator.close()
        await app.rpc_server.stop(0)


async def test_it_is_ready_with_auth_and_postgres_and_without_exam(
    database: TestDatabase, certificates: Certificates, auth: str
) -> None:
    settings = load(Settings, environment(database, certificates("grading"), AUTH_TARGET=auth))
    async with build(settings) as app:
        assert await app.ready() == "waiting for auth"
        following = [asyncio.create_task(worker.run()) for worker in app.always]

        async def is_ready() -> bool:
            return await app.ready() is True

        await eventually(is_ready)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


@pytest.mark.parametrize("missing", ["AUTH_TARGET", "EXAM_TARGET"])
def test_settings_without_peers_are_refused(
    database: TestDatabase, certificates: Callable[[str], TlsFiles], missing: str
) -> None:
    with pytest.raises(SettingsError, match=missing):
        load(Settings, environment(database, certificates("grading"), **{missing: ""}))
