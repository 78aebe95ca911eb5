"""Queries on people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.domain.accounts import Role, User, email_key
from auth_service.tables import credentials, users

_HAS_PASSWORD = sa.exists().where(credentials.c.user_id == users.c.id).correlate(users).label("has_password")
_COLUMNS = (
    users.c.id,
    users.c.email,
    users.c.name,
    users.c.role,
    users.c.groups,
    users.c.active,
    users.c.token_version,
    users.c.created_at,
    _HAS_PASSWORD,
)
# Who may take rights from administrators: one transaction at a time, or two could take the last ones.
_ADMINS_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('examhall.auth.admins', 0))")

Lock = Literal["share", "update"]


@dataclass(frozen=True)
class Filters:
    """What a list of users may be narrowed by; None and "" mean all."""

    q: str = ""
    role: Role | None = None
    group: str = ""
    active: bool | None = None


async def get(conn: AsyncConnection, user_id: UUID, lock: Lock | None = None) -> User | None:
    """A person. `share` keeps others from changing the row until the end of the transaction."""
    query = sa.select(*_COLUMNS).where(users.c.id == user_id)
    if lock is not None:
        query = query.with_for_update(of=users, read=lock == "share")
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _user(row)


async def get_many(conn: AsyncConnection, user_ids: Collection[UUID]) -> list[User]:
    query = sa.select(*_COLUMNS).where(users.c.id == sa.any_(_uuids(user_ids)))
    return [_user(row) for row in await conn.execute(query)]


async def find_by_keys(
    conn: AsyncConnection, keys: Collection[str], *, lock: bool = False
) -> dict[str, User]:
    """People by e-mail key; locked in the order of their ids, so that two such locks can't deadlock."""
    wanted = sa.any_(sa.cast(sa.literal(sorted(keys), pg.ARRAY(sa.Text)), pg.ARRAY(sa.Text)))
    query = sa.select(*_COLUMNS, users.c.email_key).where(users.c.email_key == wanted).order_by(users.c.id)
    if lock:
        query = query.with_for_update(of=users)
    return {row.email_key: _user(row) for row in await conn.execute(query)}


async def find_login(conn: AsyncConnection, key: str) -> tuple[User, str | None] | None:
    """The person of an e-mail key, and the hash of the password if there is one."""
    query = (
        sa.select(*_COLUMNS, credentials.c.password_hash)
        .select_from(users.outerjoin(credentials, credentials.c.user_id == users.c.id))
        .where(users.c.email_key == key)
    )
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else (_user(row), row.password_hash)


async def page(conn: AsyncConnection, filters: Filters, after: str | None, limit: int) -> list[User]:
    """People in the order of their addresses, beginning after the e-mail key `after`."""
    query = sa.select(*_COLUMNS).order_by(users.c.email_key).limit(limit)
    if filters.q:
        part = filters.q
        query = query.where(
            users.c.name.icontains(part, autoescape=True) | users.c.email.icontains(part, autoescape=True)
        )
    if filters.role is not None:
        query = query.where(users.c.role == filters.role.value)
    if filters.group:
        query = query.where(users.c.groups.contains([filters.group]))
    if filters.active is not None:
        query = query.where(users.c.active == filters.active)
    if after is not None:
        query = query.where(users.c.email_key > after)
    return [_user(row) for row in await conn.execute(query)]


async def count_students(
    conn: AsyncConnection,
    *,
    groups: Collection[str],
    ids: Collection[UUID],
    everybody: bool,
) -> int:
    """Active students: all, or those of any of these groups or with one of these ids."""
    query = (
        sa.select(sa.func.count())
        .select_from(users)
        .where(users.c.role == Role.STUDENT.value, users.c.active)
    )
    if not everybody:
        of_group = users.c.groups.overlap(sa.cast(list(groups), pg.ARRAY(sa.Text)))
        query = query.where(sa.or_(of_group, users.c.id == sa.any_(_uuids(ids))))
    return int((await conn.execute(query)).scalar_one())


async def insert(conn: AsyncConnection, people: Sequence[User]) -> set[UUID]:
    """Add people whose address is free; the ids of those that were added."""
    if not people:
        return set()
    values = [
        {
            "id": user.id,
            "email": user.email,
            "email_key": email_key(user.email),
            "name": user.name,
            "role": user.role.value,
            "groups": list(user.groups),
            "active": user.active,
            "token_version": user.token_version,
            "created_at": user.created_at,
            "updated_at": user.created_at,
        }
        for user in people
    ]
    statement = pg.insert(users).values(values).on_conflict_do_nothing(constraint="users_email_key_key")
    return {row.id for row in await conn.execute(statement.returning(users.c.id))}


async def update(conn: AsyncConnection, user_id: UUID, changes: Mapping[str, Any], now: datetime) -> None:
    """Set columns. Raises IntegrityError (users_email_key_key) for an address that is taken."""
    await conn.execute(users.update().where(users.c.id == user_id).values(**changes, updated_at=now))


async def lock_admins(conn: AsyncConnection) -> None:
    """Wait for one's turn to take rights from administrators, until the end of the transaction."""
    await conn.execute(_ADMINS_LOCK)


async def other_active_admins(conn: AsyncConnection, user_id: UUID) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(users)
        .where(users.c.role == Role.ADMIN.value, users.c.active, users.c.id != user_id)
    )
    return int((await conn.execute(query)).scalar_one())


def _uuids(ids: Collection[UUID]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.literal(list(ids), pg.ARRAY(sa.Uuid)), pg.ARRAY(sa.Uuid))


def _user(row: sa.Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        groups=tuple(row.groups),
        active=row.active,
        token_version=row.token_version,
        created_at=row.created_at,
        has_password=row.has_password,
    )
