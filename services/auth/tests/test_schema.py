"""The migrated schema is the declared one, and the serving role can't rewrite history."""

from __future__ import annotations

import psycopg
import pytest
from auth_service.tables import metadata
from examkit.testing import TestDatabase, schema_drift


def test_the_schema_is_what_the_code_declares(database: TestDatabase) -> None:
    assert schema_drift(metadata, database.admin_dsn, "auth") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET reason = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "CREATE TABLE t (x int)",
        "DROP TABLE users",
        "ALTER TABLE users ADD COLUMN x int",
    ],
)
def test_the_serving_role_may_not(database: TestDatabase, statement: str) -> None:
    with (
        psycopg.connect(database.serve_dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
