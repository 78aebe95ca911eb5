"""The process as it is run: it gets ready, serves, logs no secrets, and ends on SIGTERM."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from examkit.rpc.client import call, connect
from examkit.testing import TestDatabase, eventually
from examkit.tls import TlsFiles
from examprotos.auth.v1 import identity_pb2
from examprotos.auth.v1.identity_pb2_grpc import IdentityStub

from .conftest import PASSWORD, SEALING_KEY, MakeUser


async def test_serve(
    database: TestDatabase,
    rabbitmq_url: str,
    certificates: Callable[[str], TlsFiles],
    make_user: MakeUser,
    tmp_path: Path,
) -> None:
    await make_user("ada@example.com")
    tls, ready_file, output = certificates("auth"), tmp_path / "ready.json", tmp_path / "log"
    env = {
        "DATABASE_URL": database.serve_dsn,
        "DB_SCHEMA": "auth",
        "RABBITMQ_URL": rabbitmq_url,
        "TLS_CA": str(tls.ca),
        "TLS_CERT": str(tls.cert),
        "TLS_KEY": str(tls.key),
        "KEY_ENCRYPTION_KEY": base64.b64encode(SEALING_KEY).decode(),
        "READY_FILE": str(ready_file),
    }
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "auth_service", "serve", env=env, stdout=log, stderr=log
        )
    try:
        await eventually(ready_file.exists, timeout=40)
        target = json.loads(ready_file.read_text())["grpc"]
        channel = connect(target, server="auth", tls=certificates("gateway-student"))
        request = identity_pb2.LoginRequest(email="ada@example.com", password=PASSWORD, address="192.0.2.1")
        session = await call(IdentityStub(channel).Login, request, timeout=10)
        refresh = identity_pb2.RefreshRequest(refresh_token=session.refresh_token)
        renewed = await call(IdentityStub(channel).Refresh, refresh, timeout=10)
        await channel.close()
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            status = await process.wait()
    told = output.read_text()
    assert status == 0 and "Traceback" not in told, told  # noqa: PT018 - one thing: it ended well
    for secret in (PASSWORD, session.access_token, session.refresh_token, renewed.refresh_token):
        assert secret not in told
