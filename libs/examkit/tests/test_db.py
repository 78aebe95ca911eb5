"""The unit of work: all or nothing, events only with the commit, and a database that may go away."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator

import psycopg
import pytest
import sqlalchemy as sa
from examhall_local.postgres import PrivatePostgres
from examkit.audit import AuditEntry, AuditServicer
from examkit.db import Contended, Database, DatabaseAway, Limits, Tx, retry_deadlocks, violated_constraint
from examkit.errors import AppError, Kind
from examkit.events import Event
from examkit.testing import DatabaseMaker, TestDatabase, eventually
from examprotos.auth.v1.events_pb2 import AccessRevoked
from examprotos.common.v1.audit_pb2 import ListRequest
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import REGISTRY
from sample_service.tables import notes, shared

TYPE = "examhall.exam.note.written.v1"


def event(subject: str = "1") -> Event:
    return Event(TYPE, subject, AccessRevoked())


async def write_note(tx: Tx, owner: str, text: str = "") -> None:
    await tx.conn.execute(notes.insert().values(id=uuid.uuid4(), owner=owner, text=text))


async def count(db: Database, table: sa.Table) -> int:
    async with db.reading() as conn:
        return int((await conn.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_a_clean_exit_commits_change_events_and_audit_together(db: Database) -> None:
    woken: list[int] = []
    db.add_commit_listener(lambda: woken.append(1))
    async with db.transaction() as tx:
        await write_note(tx, "a")
        for subject in ("first", "second", "third"):
            tx.publish(event(subject))
        await tx.audit(AuditEntry(actor_id="u", action="note.written", object_type="note", object_id="1"))
        assert woken == []
    assert woken == [1]
    assert await count(db, notes) == await count(db, shared.audit) == 1
    async with db.reading() as conn:
        found = await conn.execute(sa.select(shared.outbox.c.subject).order_by(shared.outbox.c.position))
        assert found.scalars().all() == ["first", "second", "third"]


async def test_an_exception_leaves_nothing_behind(db: Database) -> None:
    woken: list[int] = []
    db.add_commit_listener(lambda: woken.append(1))

    async def fail() -> None:
        async with db.transaction() as tx:
            await write_note(tx, "a")
            tx.publish(event())
            raise KeyError("no")

    with pytest.raises(KeyError):
        await fail()
    assert woken == []
    assert await count(db, notes) == await count(db, shared.outbox) == 0


async def test_who_published_nothing_wakes_nobody(db: Database) -> None:
    woken: list[int] = []
    db.add_commit_listener(lambda: woken.append(1))
    async with db.transaction() as tx:
        await write_note(tx, "a")
    assert woken == []


async def test_the_violated_constraint_is_named(db: Database) -> None:
    async def write(*owners: str) -> None:
        async with db.transaction() as tx:
            for owner in owners:
                await write_note(tx, owner)

    for owner, name in (("a", "notes_owner_text_key"), ("", "notes_owner_check")):
        with pytest.raises(sa.exc.IntegrityError) as caught:
            await write("a", owner)
        assert violated_constraint(caught.value) == name
    assert violated_constraint(KeyError("notes_owner_check")) is None


@pytest.mark.parametrize(
    "statement", [notes.delete(), sa.text("  DELETE FROM notes"), sa.text("TRUNCATE notes")]
)
async def test_reading_refuses_to_write(db: Database, statement: sa.Executable) -> None:
    with pytest.raises(RuntimeError, match="queries alone"):
        async with db.reading() as conn:
            await conn.execute(statement)


async def test_sessions_are_set_up(db: Database) -> None:
    async def setting(name: str) -> str:
        async with db.reading() as conn:
            return str(
                (await conn.execute(sa.text("SELECT current_setting(:name)"), {"name": name})).scalar()
            )

    assert await setting("search_path") == '"sample"'
    assert await setting("jit") == "off"
    assert await setting("synchronous_commit") == "on"
    assert await setting("statement_timeout") == "15s"
    assert await setting("lock_timeout") == "5s"
    assert await setting("idle_in_transaction_session_timeout") == "30s"
    async with db.reading() as conn:
        for _ in range(10):
            await conn.execute(sa.select(notes))
        prepared = await conn.execute(sa.text("SELECT count(*) FROM pg_prepared_statements"))
        assert prepared.scalar_one() == 0


async def test_a_pool_of_prepared_statements_plans_once(sample: TestDatabase) -> None:
    db = Database(sample.serve_dsn, schema="sample", pool_size=1, prepared=True)
    try:
        async with db.reading() as conn:
            for number in range(3):
                await conn.execute(sa.select(notes.c.id).where(notes.c.text == str(number)))
            plans = (
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE :like"
            )
            query = sa.text(plans)
            found = (await conn.execute(query, {"like": "%notes.text%"})).all()
        assert [tuple(row) for row in found] == [(3, 0)]
    finally:
        await db.close()


async def test_the_driver_itself_may_be_used(db: Database, sample: TestDatabase) -> None:
    async def query(statement: str) -> None:
        async with db.transaction() as tx:
            raw = (await tx.conn.get_raw_connection()).driver_connection
            assert isinstance(raw, psycopg.AsyncConnection)
            await raw.execute(statement)

    with pytest.raises(DatabaseAway):
        await query("SELECT pg_terminate_backend(pg_backend_pid())")
    await query("INSERT INTO notes (id, owner) VALUES (gen_random_uuid(), 'raw')")
    assert await count(db, notes) == 1


async def test_the_pool_is_measured(db: Database) -> None:
    def in_use() -> float | None:
        return REGISTRY.get_sample_value("examhall_db_pool_in_use", {"schema": "sample", "pool": "main"})

    async with db.transaction(), db.reading():
        await db.ping()
        assert in_use() == 2
    assert in_use() == 0
    assert REGISTRY.get_sample_value("examhall_db_pool_size", {"schema": "sample", "pool": "main"}) == 4


async def test_reading_opens_no_transaction(db: Database) -> None:
    async with db.reading() as conn:
        first = (await conn.execute(sa.text("SELECT now()"))).scalar_one()
        assert (await conn.execute(sa.text("SELECT now()"))).scalar_one() > first
    async with db.transaction() as tx:
        first = (await tx.conn.execute(sa.text("SELECT now()"))).scalar_one()
        assert (await tx.conn.execute(sa.text("SELECT now()"))).scalar_one() == first


async def test_waiting_for_a_connection_is_measured(sample: TestDatabase) -> None:
    def figure(name: str) -> float:
        labels = {"schema": "sample", "pool": "narrow"}
        return REGISTRY.get_sample_value(f"examhall_db_pool_{name}", labels) or 0.0

    db = Database(sample.serve_dsn, schema="sample", pool_size=1, name="narrow")
    async with db.reading():
        other = asyncio.create_task(db.ping())
        await eventually(lambda: figure("waiting") == 1)
    await other
    assert (figure("waiting"), figure("wait_seconds_count")) == (0, 2)
    await db.close()


async def test_an_exhausted_pool_says_so_soon(sample: TestDatabase) -> None:
    db = Database(sample.serve_dsn, schema="sample", pool_size=1, limits=Limits(pool_wait=0.1))
    async with db.transaction():
        with pytest.raises(DatabaseAway) as caught:
            await db.ping()
    assert (caught.value.kind, caught.value.retry_after) == (Kind.UNAVAILABLE, 2.0)
    await db.ping()
    await db.close()


async def test_what_waits_too_long_is_contended(sample: TestDatabase) -> None:
    limits = Limits(statement=0.2, lock=0.1)
    db = Database(sample.serve_dsn, schema="sample", pool_size=2, limits=limits)
    for statement in ("SELECT pg_sleep(5)", "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE"):
        async with db.transaction() as holder:
            await write_note(holder, "a")
            with pytest.raises(Contended) as caught:
                async with db.transaction() as tx:
                    await tx.conn.execute(sa.text(statement))
        assert not caught.value.retryable
        async with db.transaction() as tx:
            await tx.conn.execute(notes.delete())
    await db.close()


async def test_deadlocks_are_run_again(db: Database) -> None:
    async with db.transaction() as tx:
        await write_note(tx, "a")
        await write_note(tx, "b")
    both = asyncio.Barrier(2)
    runs = 0

    @retry_deadlocks
    async def touch(first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        async with db.transaction() as tx:
            await tx.conn.execute(notes.update().where(notes.c.owner == first).values(text="x"))
            if runs <= 2:
                await both.wait()
            await tx.conn.execute(notes.update().where(notes.c.owner == second).values(text="x"))

    await asyncio.gather(touch("a", "b"), touch("b", "a"))
    # One of them was undone; on its way again it may meet the other once more.
    assert runs >= 3


async def test_a_lost_connection_is_unavailable_and_the_next_heals(
    db: Database, sample: TestDatabase
) -> None:
    async def cut_off() -> None:
        async with db.transaction() as tx:
            await write_note(tx, "a")
            own = (await tx.conn.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
            with psycopg.connect(sample.admin_dsn, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (own,))
            await write_note(tx, "b")

    with pytest.raises(DatabaseAway):
        await cut_off()
    await db.ping()
    assert await count(db, notes) == 0


async def test_an_idle_connection_that_was_closed_is_not_even_noticed(
    db: Database, sample: TestDatabase
) -> None:
    await asyncio.gather(*(db.ping() for _ in range(4)))
    with psycopg.connect(sample.admin_dsn, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'sample_serve' AND datname = current_database()"
        )
    await asyncio.gather(*(db.ping() for _ in range(4)))


@pytest.mark.parametrize("code", ["53100", "53200", "58030"])
async def test_a_full_disk_is_unavailable_and_costs_no_connection(db: Database, code: str) -> None:
    async def server(fails: bool) -> int:
        async with db.transaction() as tx:
            pid = (await tx.conn.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
            if fails:
                raised = f"DO $$ BEGIN RAISE 'no more' USING ERRCODE = '{code}'; END $$"
                await tx.conn.execute(sa.text(raised))
        return int(pid)

    before = await server(fails=False)
    with pytest.raises(DatabaseAway):
        await server(fails=True)
    assert await server(fails=False) == before


async def test_nobody_there_is_unavailable() -> None:
    db = Database("postgresql://a:b@127.0.0.1:1/x", schema="sample")
    with pytest.raises(DatabaseAway):
        await db.ping()
    with pytest.raises(DatabaseAway):
        async with db.transaction():
            pass
    await db.close()


async def test_a_connection_that_was_given_up_is_closed_at_once() -> None:
    closed = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    db = Database(f"postgresql://x@127.0.0.1:{port}/x", schema="x", limits=Limits(connect=2))
    gc.disable()
    try:
        with pytest.raises(DatabaseAway):
            await db.ping()
        async with asyncio.timeout(5):
            await closed.wait()
    finally:
        gc.enable()
        await db.close()
        server.close()


async def test_a_programs_own_mistake_stays_what_it_is(db: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError):
        async with db.reading() as conn:
            await conn.execute(sa.text("SELECT * FROM no_such_table"))


@pytest.fixture
async def restarted(own_postgres: PrivatePostgres) -> AsyncIterator[Database]:
    sample = DatabaseMaker(own_postgres.dsn)("sample")
    db = Database(sample.serve_dsn, schema="sample", pool_size=4)
    yield db
    await db.close()


async def test_a_restart_of_postgres_heals(restarted: Database, own_postgres: PrivatePostgres) -> None:
    db = restarted
    await asyncio.gather(*(db.ping() for _ in range(4)))
    async with db.transaction() as tx:
        await write_note(tx, "kept")
    await asyncio.to_thread(own_postgres.stop)
    for _ in range(5):
        with pytest.raises(DatabaseAway):
            await db.ping()
    await asyncio.to_thread(own_postgres.start)

    async def pings() -> bool:
        try:
            await db.ping()
        except AppError:
            return False
        return True

    await eventually(pings)
    await asyncio.gather(*(db.ping() for _ in range(8)))
    assert await count(db, notes) == 1


async def test_the_audit_log_is_served_newest_first_by_pages(db: Database) -> None:
    for number in range(5):
        async with db.transaction() as tx:
            for twin in "ab":
                await tx.audit(
                    AuditEntry(
                        actor_id="u",
                        action="note.written",
                        object_type="note",
                        object_id=f"{number}{twin}",
                        after={"n": number},
                        reason="Ünder test",
                    )
                )
    servicer = AuditServicer(db)
    seen: list[str] = []
    before, before_id = None, ""
    while True:
        page = await servicer.List(ListRequest(limit=3, before=before, before_id=before_id), None)
        if not page.items:
            break
        seen += [entry.object_id for entry in page.items]
        before, before_id = page.items[-1].at, page.items[-1].id
    assert seen == ["4b", "4a", "3b", "3a", "2b", "2a", "1b", "1a", "0b", "0a"]
    found = await servicer.List(ListRequest(object_type="note", object_id="2a"), None)
    (entry,) = found.items
    assert (entry.after_json, entry.before_json, entry.reason) == (b'{"n": 2}', b"", "Ünder test")
    assert (await servicer.List(ListRequest(actor_id="somebody else"), None)).items == []


@pytest.mark.parametrize(
    "request_", [ListRequest(before_id="x"), ListRequest(before=Timestamp(seconds=1), before_id="x")]
)
async def test_a_foreign_cursor_is_invalid(db: Database, request_: ListRequest) -> None:
    with pytest.raises(AppError) as caught:
        await AuditServicer(db).List(request_, None)
    assert caught.value.kind is Kind.INVALID


async def test_a_statement_alone_is_committed_when_it_has_a_result(db: Database) -> None:
    insert = notes.insert().values(id=uuid.uuid4(), owner="a", text="").returning(notes.c.owner)
    async with db.statement() as conn:
        assert (await conn.execute(insert)).scalars().all() == ["a"]
        assert await count(db, notes) == 1


async def test_a_statement_whose_commit_fails_gives_no_result(sample: TestDatabase, db: Database) -> None:
    """The rows are here before the commit is: whoever read on would acknowledge what was never stored."""
    async with await psycopg.AsyncConnection.connect(sample.migrate_dsn, autocommit=True) as admin:
        await admin.execute(
            """
            CREATE FUNCTION sample.refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'not at the commit'; END $$
            """
        )
        await admin.execute(
            """
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON sample.notes
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sample.refuse()
            """
        )
    insert = notes.insert().values(id=uuid.uuid4(), owner="a", text="").returning(notes.c.owner)
    with pytest.raises(sa.exc.DBAPIError, match="not at the commit"):
        async with db.statement() as conn:
            await conn.execute(insert)
    assert await count(db, notes) == 0
