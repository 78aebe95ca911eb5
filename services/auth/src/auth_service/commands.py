"""Commands of an operator: the first administrator, and a key rotation out of turn."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta

from examkit.clock import utc_now
from examkit.db import Database
from examkit.errors import AppError
from examkit.revocations import Revocations
from examkit.rpc.context import acting
from examkit.settings import SettingsError, from_environment

from auth_service.domain.accounts import Role, lookup_key
from auth_service.domain.refreshing import Lifetimes
from auth_service.hashing import PasswordHashing
from auth_service.key_ring import KeyRing
from auth_service.repository import users
from auth_service.sealing import Seal
from auth_service.settings import AdminSettings, KeySettings, decode_key
from auth_service.usecases.signing_keys import rotate_now
from auth_service.usecases.unit import Auth
from auth_service.usecases.users import NewUser, create_user

COMMANDS = ("create-admin", "rotate-keys")


def run(argv: Sequence[str]) -> int:
    """Exit status: 0 done (or nothing to do), 1 refused, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m auth_service")
    commands = parser.add_subparsers(dest="command", required=True)
    admin = commands.add_parser("create-admin", help="the password is read from ADMIN_PASSWORD")
    admin.add_argument("--email", required=True)
    admin.add_argument("--name", required=True)
    commands.add_parser("rotate-keys", help="publish a new signing key, which signs a little later")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "create-admin":
            message = asyncio.run(
                _create_admin(from_environment(AdminSettings), arguments.email, arguments.name)
            )
        else:
            message = asyncio.run(_rotate_keys(from_environment(KeySettings)))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except AppError as error:
        print(error.detail, file=sys.stderr)
        return 1
    print(message)
    return 0


async def _create_admin(settings: AdminSettings, email: str, name: str) -> str:
    """An existing administrator is left as it is. Raises email_taken where it is a student's address."""
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=1)
    try:
        async with db.reading() as conn:
            found = await users.find_login(conn, lookup_key(email) or "")
        if found is not None and found[0].role is Role.ADMIN:
            return f"{found[0].email} is an administrator already."
        with PasswordHashing() as hashing, acting(caller="create-admin"):
            auth = _without_keys(db, hashing)
            wanted = NewUser(email, name, Role.ADMIN, (), settings.admin_password)
            user = await create_user(auth, wanted)
        return f"{user.email} is an administrator now."
    finally:
        await db.close()


async def _rotate_keys(settings: KeySettings) -> str:
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=1)
    try:
        key = await rotate_now(
            db,
            Seal(decode_key(settings.key_encryption_key)),
            utc_now,
            lead=timedelta(seconds=settings.key_publish_lead_seconds),
        )
    finally:
        await db.close()
    if key is None:
        return "A new key is published already and will sign soon."
    return f"Key {key.kid} is published, and signs from {key.signs_from.isoformat(timespec='seconds')} on."


def _without_keys(db: Database, hashing: PasswordHashing) -> Auth:
    """For use cases that sign nothing."""
    seal = Seal(bytes(32))
    ring = KeyRing(db, seal, issuer="", audience="", clock=utc_now)
    return Auth(db, utc_now, hashing, ring, Revocations(), Lifetimes(), seal.refresh_secret)
