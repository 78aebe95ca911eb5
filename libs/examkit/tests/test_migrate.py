"""Migrations and provisioning: what the two roles may do, and that running again changes nothing."""

import threading

import psycopg
import pytest
import sqlalchemy as sa
from examkit import migrate
from examkit.provision import provision, role_dsn
from examkit.testing import DatabaseMaker, TestDatabase, schema_drift
from sample_service.tables import metadata


def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def refused(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_migrated_schema_is_the_declared_one(sample: TestDatabase) -> None:
    assert schema_drift(metadata, sample.admin_dsn, "sample") == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE sample.notes ALTER COLUMN owner DROP NOT NULL", "notes.owner"),
        ("ALTER TABLE sample.notes ALTER COLUMN text SET DEFAULT 'x'", "notes.text"),
        ("ALTER TABLE sample.notes ADD COLUMN more int", "notes.more"),
        ("ALTER TABLE sample.notes DROP CONSTRAINT notes_owner_check", "notes constraint notes_owner_check"),
        ("DROP INDEX sample.notes_shown_idx", "notes index notes_shown_idx"),
        ("DROP TABLE sample.inbox", "inbox.consumer"),
    ],
)
def test_each_sort_of_drift_is_seen(sample: TestDatabase, statement: str, named: str) -> None:
    with psycopg.connect(sample.admin_dsn) as connection:
        connection.execute(statement)
    drift = schema_drift(metadata, sample.admin_dsn, "sample")
    assert any(line.startswith(f"{named}:") for line in drift), drift
    assert rows(sample.admin_dsn, "SELECT to_regnamespace('declared_by_the_code')") == [(None,)]


def test_upgrade_is_a_no_op_when_current(sample: TestDatabase) -> None:
    assert migrate.upgrade("sample_service", sample.migrate_dsn, "sample") == "0002"
    assert rows(sample.serve_dsn, "SELECT version_num FROM sample.alembic_version") == [("0002",)]


def test_post_steps_wait_for_their_turn(make_database: DatabaseMaker) -> None:
    database = make_database.empty("sample")
    assert migrate.upgrade("sample_service", database.migrate_dsn, "sample", steps=("pre",)) == "0001"
    assert migrate.upgrade("sample_service", database.migrate_dsn, "sample") == "0002"


def test_runs_that_meet_take_turns(make_database: DatabaseMaker) -> None:
    database = make_database.empty("sample")
    reached: list[str | None] = []

    def run() -> None:
        reached.append(migrate.upgrade("sample_service", database.migrate_dsn, "sample"))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reached == ["0002"] * 3


def test_a_failed_migration_leaves_nothing(
    make_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = make_database.empty("sample")

    def explode(_op: object, _table: str, _role: str) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(migrate, "append_only", explode)
    with pytest.raises(RuntimeError, match="half way"):
        migrate.upgrade("sample_service", database.migrate_dsn, "sample")
    assert rows(database.admin_dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'sample'") == [(0,)]


def test_a_package_without_migrations_is_named() -> None:
    with pytest.raises(migrate.MigrationError, match="no_such_package"):
        migrate.upgrade("no_such_package", "postgresql://nobody@127.0.0.1:1/x", "sample")


def test_the_serving_role_has_rows_and_nothing_else(sample: TestDatabase) -> None:
    with psycopg.connect(sample.serve_dsn) as connection:
        connection.execute("INSERT INTO notes (id, owner) VALUES (gen_random_uuid(), 'a')")
        connection.execute("UPDATE notes SET text = 'b'")
        connection.execute("DELETE FROM notes")
    refused(sample.serve_dsn, "CREATE TABLE more (id int)")
    refused(sample.serve_dsn, "CREATE TABLE public.more (id int)")
    refused(sample.serve_dsn, "CREATE TEMP TABLE more (id int)")
    refused(sample.serve_dsn, "ALTER TABLE notes ADD COLUMN more int")
    refused(sample.serve_dsn, "DROP TABLE notes")
    refused(sample.serve_dsn, "TRUNCATE notes")
    refused(sample.serve_dsn, "CREATE SCHEMA more")


def test_audit_is_append_only_for_the_serving_role(sample: TestDatabase) -> None:
    with psycopg.connect(sample.serve_dsn) as connection:
        connection.execute(
            "INSERT INTO audit (id, actor_kind, action, object_type, object_id)"
            " VALUES (gen_random_uuid(), 'user', 'note.written', 'note', '1')"
        )
    refused(sample.serve_dsn, "UPDATE audit SET action = 'note.read'")
    refused(sample.serve_dsn, "DELETE FROM audit")
    refused(sample.serve_dsn, "TRUNCATE audit")
    assert rows(sample.serve_dsn, "SELECT action FROM audit") == [("note.written",)]


def test_no_role_reads_another_schema(sample: TestDatabase, make_database: DatabaseMaker) -> None:
    other = make_database.join(sample, "other", package="sample_service")
    for dsn in (other.serve_dsn, other.migrate_dsn):
        refused(dsn, "SELECT * FROM sample.notes")
        refused(dsn, "SELECT * FROM sample.audit")
    for dsn in (sample.serve_dsn, sample.migrate_dsn):
        refused(dsn, "SELECT * FROM other.notes")


def test_no_role_enters_a_database_it_was_not_given(
    sample: TestDatabase, make_database: DatabaseMaker
) -> None:
    elsewhere = make_database.empty("other")
    dsn = role_dsn(elsewhere.admin_dsn, "sample_serve", "only-for-tests")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsn)


def test_provisioning_again_and_at_the_same_time_is_safe(make_database: DatabaseMaker) -> None:
    databases = [make_database.empty("sample") for _ in range(2)]
    failures: list[Exception] = []

    def run(dsn: str) -> None:
        try:
            for _ in range(3):
                provision(dsn, "sample", "only-for-tests", "only-for-tests")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(database.admin_dsn,)) for database in databases * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(databases[0].serve_dsn, "SELECT current_schema()") == [("sample",)]


def test_provisioning_creates_the_database(postgres_admin_dsn: str, make_database: DatabaseMaker) -> None:
    base = make_database.empty("sample")
    dsn = base.admin_dsn.replace(base.name, base.name + "_new")
    urls = provision(dsn, "sample", "only-for-tests", "only-for-tests")
    assert rows(urls.migrate_dsn, "SELECT current_user, current_database()") == [
        ("sample_migrate", base.name + "_new")
    ]
    with psycopg.connect(postgres_admin_dsn, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {base.name}_new WITH (FORCE)")


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://a:b@h:1/d", "postgresql://r:p%40@h:1/d"),
        ("host=/var/run dbname=d", "postgresql://r:p%40@%2Fvar%2Frun/d"),
        ("postgresql://a@h:1,i:2/d?sslmode=require", "postgresql://r:p%40@h:1,i:2/d?sslmode=require"),
        ("postgresql://a@[::1]:5/d", "postgresql://r:p%40@[::1]:5/d"),
    ],
)
def test_role_dsn(dsn: str, expected: str) -> None:
    made = role_dsn(dsn, "r", "p@")
    assert made == expected
    assert psycopg.conninfo.conninfo_to_dict(made)["password"] == "p@"


def test_sqlalchemy_sees_the_search_path(sample: TestDatabase) -> None:
    engine = sa.create_engine(sample.serve_dsn.replace("postgresql://", "postgresql+psycopg://"))
    assert "notes" in sa.inspect(engine).get_table_names()
    engine.dispose()


def test_pods_wait_for_what_their_code_needs(make_database: DatabaseMaker) -> None:
    database = make_database.empty("sample")

    def current() -> bool:
        return migrate.is_current("sample_service", database.serve_dsn, "sample")

    assert not migrate.is_current("sample_service", "postgresql://nobody@127.0.0.1:1/none", "sample")
    assert not current()
    migrate.upgrade("sample_service", database.migrate_dsn, "sample", steps=("pre",))
    assert current()
    migrate.upgrade("sample_service", database.migrate_dsn, "sample")
    assert current()


def test_a_schema_of_newer_code_is_left_alone(make_database: DatabaseMaker) -> None:
    database = make_database.empty("sample")
    migrate.upgrade("sample_service", database.migrate_dsn, "sample")
    with psycopg.connect(database.migrate_dsn) as connection:
        connection.execute("UPDATE sample.alembic_version SET version_num = '0003'")
    assert migrate.upgrade("sample_service", database.migrate_dsn, "sample") == "0003"
    assert migrate.is_current("sample_service", database.serve_dsn, "sample")
