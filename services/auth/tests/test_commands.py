"""The operator's commands, run as processes."""

from __future__ import annotations

import asyncio
import base64
import sys

import pytest
import sqlalchemy as sa
from auth_service.settings import Settings
from auth_service.tables import credentials, signing_keys, users
from auth_service.usecases.login import login
from auth_service.usecases.unit import Auth
from examkit.settings import SettingsError, load
from examkit.testing import TestDatabase

from .conftest import SEALING_KEY, MakeUser

ADMIN = ("create-admin", "--email", "admin@example.com", "--name", "Admin")


async def run(database: TestDatabase, *arguments: str, **env: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "auth_service",
        *arguments,
        env={"DATABASE_URL": database.serve_dsn, "PATH": "/usr/bin:/bin", **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_create_admin_is_idempotent(auth: Auth, database: TestDatabase) -> None:
    status, output = await run(database, *ADMIN, ADMIN_PASSWORD="demo-admin-password")
    assert status == 0, output
    await login(auth, "admin@example.com", "demo-admin-password", "")
    async with auth.db.reading() as conn:
        before = (await conn.execute(sa.select(credentials.c.password_hash))).scalar_one()
    status, output = await run(database, *ADMIN, ADMIN_PASSWORD="another-password")
    assert status == 0, output
    async with auth.db.reading() as conn:
        assert (await conn.execute(sa.select(credentials.c.password_hash))).scalar_one() == before
        assert (await conn.execute(sa.select(users.c.role))).scalar_one() == "admin"


async def test_create_admin_says_what_is_wrong(database: TestDatabase, make_user: MakeUser) -> None:
    status, output = await run(database, *ADMIN)
    assert (status, "ADMIN_PASSWORD is not set" in output) == (2, True)
    status, output = await run(database, *ADMIN, ADMIN_PASSWORD="short")
    assert status == 1
    assert "at least 10 characters" in output
    await make_user("admin@example.com")
    status, output = await run(database, *ADMIN, ADMIN_PASSWORD="demo-admin-password")
    assert status == 1
    assert "Traceback" not in output


async def test_rotate_keys_publishes_one_key(auth: Auth, database: TestDatabase) -> None:
    sealing = base64.b64encode(SEALING_KEY).decode()
    for expected in ("signs from", "published already"):
        status, output = await run(database, "rotate-keys", KEY_ENCRYPTION_KEY=sealing)
        assert status == 0, output
        assert expected in output
    async with auth.db.reading() as conn:
        assert len((await conn.execute(sa.select(signing_keys))).all()) == 2


@pytest.mark.parametrize("value", ["", "short", base64.b64encode(b"x" * 31).decode(), "!" * 44])
def test_the_key_encryption_key_is_checked_and_never_shown(value: str) -> None:
    env = {
        "DATABASE_URL": "postgresql://x",
        "DB_SCHEMA": "auth",
        "RABBITMQ_URL": "amqp://x",
        "TLS_CA": "a",
        "TLS_CERT": "b",
        "TLS_KEY": "c",
        "KEY_ENCRYPTION_KEY": value,
    }
    with pytest.raises(SettingsError) as caught:
        load(Settings, env)
    assert "KEY_ENCRYPTION_KEY" in str(caught.value)
    assert not value or value not in str(caught.value)
