"""Queries on failed logins, in Postgres so that all replicas count together."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import login_failures


async def blocked_until(conn: AsyncConnection, account: bytes, address: str) -> datetime | None:
    query = sa.select(login_failures.c.blocked_until).where(_is(account, address))
    return (await conn.execute(query)).scalar_one_or_none()


async def count_failure(
    conn: AsyncConnection, account: bytes, address: str, now: datetime, forget_before: datetime
) -> int:
    """One more failure; how many there are now. The row stays locked until the end of the transaction."""
    statement = pg.insert(login_failures).values(
        account=account, address=address, failures=1, last_failed_at=now
    )
    grown = sa.case((login_failures.c.last_failed_at < forget_before, 1), else_=login_failures.c.failures + 1)
    counted = statement.on_conflict_do_update(
        index_elements=[login_failures.c.account, login_failures.c.address],
        set_={"failures": grown, "last_failed_at": now},
    ).returning(login_failures.c.failures)
    return int((await conn.execute(counted)).scalar_one())


async def block(conn: AsyncConnection, account: bytes, address: str, until: datetime) -> None:
    await conn.execute(login_failures.update().where(_is(account, address)).values(blocked_until=until))


async def clear(conn: AsyncConnection, account: bytes, address: str) -> None:
    await conn.execute(login_failures.delete().where(_is(account, address)))


async def drop_old(conn: AsyncConnection, before: datetime) -> None:
    await conn.execute(login_failures.delete().where(login_failures.c.last_failed_at < before))


def _is(account: bytes, address: str) -> sa.ColumnElement[bool]:
    return (login_failures.c.account == account) & (login_failures.c.address == address)
