"""Bulk creation of students for imports: a chunk is one transaction, and sending it again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from examkit.db import retry_deadlocks
from examkit.errors import invalid, unavailable
from examkit.ids import uuid7

from auth_service.domain.accounts import Role, User
from auth_service.domain.revocation import STALE, UserRevocation
from auth_service.domain.students import Judged, Plan, StudentRow, key_of, plan
from auth_service.repository import credentials, sessions, users
from auth_service.usecases.unit import Auth, Unit
from auth_service.usecases.users import described

MOST_ROWS = 500
_ATTEMPTS = 5


class _TakenMeanwhileError(Exception):
    """Somebody else took an address between our look and our insert."""


async def put_students(auth: Auth, rows: Sequence[StudentRow], *, dry_run: bool) -> list[Judged]:
    """A verdict on each row, in their order. Raises invalid for more than 500 rows."""
    if len(rows) > MOST_ROWS:
        raise invalid(f"At most {MOST_ROWS} rows at a time.")
    keys = {key for key in map(key_of, rows) if key is not None}
    async with auth.db.reading() as conn:
        foreseen = plan(rows, await users.find_by_keys(conn, keys))
    if dry_run:
        return foreseen.judged
    hashes = await _hashed(auth, foreseen)
    for _ in range(_ATTEMPTS):
        try:
            return await _put(auth, rows, keys, hashes)
        except _TakenMeanwhileError:
            continue  # found by the next look
    raise unavailable("Others are adding the same people at this moment. Try again.")


async def _hashed(auth: Auth, foreseen: Plan) -> dict[str, str]:
    """Password hashes by e-mail key, of those alone who will be new: they are what costs time."""
    given = {key: new.password for key, new in foreseen.created.items() if new.password is not None}
    return dict(zip(given, await auth.hashing.hash_many(list(given.values())), strict=True))


@retry_deadlocks
async def _put(
    auth: Auth, rows: Sequence[StudentRow], keys: set[str], hashes: dict[str, str]
) -> list[Judged]:
    async with auth.changing() as unit:
        made = plan(rows, await users.find_by_keys(unit.conn, keys, lock=True))
        await _create(unit, made, hashes)
        await _change(unit, made)
        return made.judged


async def _create(unit: Unit, made: Plan, hashes: dict[str, str]) -> None:
    people = {
        key: User(uuid7(), new.email, new.name, Role.STUDENT, new.groups, True, 1, unit.now, key in hashes)
        for key, new in sorted(made.created.items())
    }
    if len(await users.insert(unit.conn, list(people.values()))) < len(people):
        raise _TakenMeanwhileError
    stored = {user.id: hashes[key] for key, user in people.items() if key in hashes}
    await credentials.put(unit.conn, stored, unit.now)
    for user in people.values():
        await unit.audit("user.created", "user", user.id, after=described(user))


async def _change(unit: Unit, made: Plan) -> None:
    regrouped = [user_id for user_id, change in made.changed.items() if change.groups_changed]
    # Of the others no token is alive that could tell of old groups.
    told = await sessions.holders(unit.conn, regrouped, unit.alive_since)
    entries: list[UserRevocation] = []
    for user_id, change in sorted(made.changed.items()):
        columns: dict[str, object] = {"name": change.name, "groups": list(change.groups)}
        if change.groups_changed:
            version = change.before.token_version + 1
            columns["token_version"] = version
            if user_id in told:
                entries.append(UserRevocation(user_id, version, STALE, unit.dead_by))
        await users.update(unit.conn, user_id, columns, unit.now)
        await _audit(unit, user_id, change.before, change.name, change.groups)
    await unit.revoke(*entries)


async def _audit(unit: Unit, user_id: UUID, before: User, name: str, groups: tuple[str, ...]) -> None:
    await unit.audit(
        "user.updated",
        "user",
        user_id,
        before={"name": before.name, "groups": list(before.groups)},
        after={"name": name, "groups": list(groups)},
    )
