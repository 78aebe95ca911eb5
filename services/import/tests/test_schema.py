"""The migrated schema is the declared one, and the serving role may do what it must and no more."""

import psycopg
import pytest
from examkit.testing import TestDatabase, schema_drift
from import_service.tables import metadata


def test_the_migration_makes_what_the_code_declares(database: TestDatabase) -> None:
    assert schema_drift(metadata, database.admin_dsn, "import") == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET action = 'x'", "DELETE FROM audit", "DROP TABLE jobs", "CREATE TABLE x (y int)"],
)
def test_the_serving_role_has_no_way_around_history(database: TestDatabase, statement: str) -> None:
    with psycopg.connect(database.serve_dsn) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)
