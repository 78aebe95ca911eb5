"""The database: each service in its own schema with its own role, attempt data keyed by the student."""

import importlib
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from examkit.testing.databases import DatabaseMaker, TestDatabase

from tests.architecture.rooms import SERVICES

SCHEMAS = sorted(name.removesuffix("_service") for name in SERVICES)
KEY_COLUMNS = ("key", "correct", "explanation", "accepted", "rubric", "tolerance")


@pytest.fixture(scope="module")
def everything(make_database: DatabaseMaker) -> Iterator[dict[str, TestDatabase]]:
    """All four schemas in one database, as production has them."""
    first = make_database(SCHEMAS[0])
    found = {SCHEMAS[0]: first} | {name: make_database.join(first, name) for name in SCHEMAS[1:]}
    yield found
    make_database.drop(first)


def metadata_of(schema: str) -> sa.MetaData:
    found: sa.MetaData = importlib.import_module(f"{schema}_service.tables").metadata
    return found


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("other", SCHEMAS)
def test_a_role_has_rights_in_its_own_schema_alone(
    everything: dict[str, TestDatabase], schema: str, other: str
) -> None:
    table = sorted(metadata_of(other).tables)[0]
    with psycopg.connect(everything[schema].serve_dsn, autocommit=True) as connection:
        query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(other, table))
        if schema == other:
            connection.execute(query)
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "DROP TABLE outbox",
        "ALTER TABLE outbox ADD x int",
    ],
)
def test_the_serving_role_has_no_ddl(
    everything: dict[str, TestDatabase], schema: str, statement: str
) -> None:
    with (
        psycopg.connect(everything[schema].serve_dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("statement", ["UPDATE audit SET reason = ''", "DELETE FROM audit", "TRUNCATE audit"])
def test_nobody_rewrites_the_audit(everything: dict[str, TestDatabase], schema: str, statement: str) -> None:
    with (
        psycopg.connect(everything[schema].serve_dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def _unique_keys(table: sa.Table) -> Iterator[tuple[str, ...]]:
    for constraint in table.constraints:
        if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)
    for index in table.indexes:
        if index.unique:
            yield tuple(getattr(column, "name", "") for column in index.expressions)


# Attempts and what hangs on them, and what is granted to a student: accommodations, rosters by name.
_OF_A_STUDENT = {"exam": 8, "grading": 7}


@pytest.mark.parametrize(("schema", "count"), _OF_A_STUDENT.items())
def test_a_students_data_is_keyed_by_the_student_first(schema: str, count: int) -> None:
    tables = [table for table in metadata_of(schema).tables.values() if _is_of_a_student(table)]
    assert len(tables) == count
    for table in tables:
        for key in _unique_keys(table):
            assert key[0] == "student_id", f"{table.name}: {key}"


def _is_of_a_student(table: sa.Table) -> bool:
    """Nothing of an attempt may go without its student."""
    return bool({"student_id", "student_exam_id"} & set(table.columns.keys()))


# The first column of each unique index, those of primary keys and constraints included; null: an expression.
_UNIQUE = """
    SELECT part.relname, made.relname, first.attname
    FROM pg_index JOIN pg_class AS part ON part.oid = indrelid JOIN pg_class AS made ON made.oid = indexrelid
         LEFT JOIN pg_attribute AS first ON first.attrelid = indrelid AND first.attnum = indkey[0]
    WHERE indisunique AND part.relnamespace = %s::regnamespace AND EXISTS (
        SELECT FROM pg_attribute AS held WHERE held.attrelid = indrelid
        AND held.attname IN ('student_id', 'student_exam_id') AND NOT held.attisdropped)
"""


@pytest.mark.parametrize(("schema", "count"), _OF_A_STUDENT.items())
def test_so_it_is_in_the_migrated_database(
    everything: dict[str, TestDatabase], schema: str, count: int
) -> None:
    with psycopg.connect(everything[schema].admin_dsn) as connection:
        found = connection.execute(_UNIQUE, [schema]).fetchall()
    assert len({table for table, _, _ in found}) == count
    assert {(table, key): first for table, key, first in found if first != "student_id"} == {}


@pytest.mark.parametrize("schema", [name for name in SCHEMAS if name != "grading"])
def test_no_other_schema_has_a_column_for_a_key(schema: str) -> None:
    for table in metadata_of(schema).tables.values():
        if schema == "auth" and "signing" in table.name:
            continue
        for column in table.columns:
            assert column.name not in KEY_COLUMNS, f"{schema}.{table.name}.{column.name}"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_no_foreign_key_crosses_a_schema(schema: str) -> None:
    names = set(metadata_of(schema).tables)
    for table in metadata_of(schema).tables.values():
        for key in table.foreign_keys:
            assert key.column.table.name in names
            assert key.column.table.schema is None


def test_the_roles_are_not_superusers(everything: dict[str, TestDatabase]) -> None:
    with psycopg.connect(everything["auth"].admin_dsn) as connection:
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '_(serve|migrate)$'"
            " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)"
        ).fetchall()
    assert rows == []
