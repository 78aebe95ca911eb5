"""A Postgres that does not answer, or hangs up at once: nobody waits for good, and it is no fault of ours."""

import asyncio
import os
import signal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from examkit.db import Database, DatabaseAway, Limits
from examkit.testing import TestDatabase
from sample_service.tables import notes


async def test_a_server_that_hangs_is_away_and_its_connection_is_given_up(sample: TestDatabase) -> None:
    db = Database(sample.serve_dsn, schema="sample", pool_size=1, limits=Limits(answer=0.5))
    async with db.reading() as conn:
        server = (await conn.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
    os.kill(server, signal.SIGSTOP)
    try:
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseAway):
                async with db.transaction() as tx:
                    await tx.conn.execute(notes.delete())
            await db.ping()
    finally:
        os.kill(server, signal.SIGCONT)
        await db.close()


async def test_a_server_that_hangs_up_on_every_new_connection_is_away(sample: TestDatabase) -> None:
    db = Database(sample.serve_dsn, schema="sample", pool_size=1)

    def hang_up(connection: Any, _record: object) -> None:
        server = connection.driver_connection.info.backend_pid
        with psycopg.connect(sample.admin_dsn, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (server,))

    await db.ping()
    sa.event.listen(db._engine.sync_engine, "connect", hang_up)
    with psycopg.connect(sample.admin_dsn, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'sample_serve'"
        )
    with pytest.raises(DatabaseAway):
        await db.ping()
    sa.event.remove(db._engine.sync_engine, "connect", hang_up)
    await db.ping()
    await db.close()
