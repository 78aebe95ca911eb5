"""A Postgres that takes what is said and does not answer: nobody waits for it for good."""

import asyncio
import os
import signal

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
