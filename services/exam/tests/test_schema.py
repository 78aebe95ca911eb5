"""The migrated schema is the declared one, and keeps what its tables promise."""

import psycopg
import pytest
from exam_service.tables import metadata
from examkit.testing import TestDatabase, schema_drift

ATTEMPT_DATA = (
    "student_exams",
    "student_answers",
    "answer_files",
    "accommodations",
    "integrity_events",
    "roster_students",
)


def test_the_migrations_lead_to_what_the_code_declares(database: TestDatabase) -> None:
    assert schema_drift(metadata, database.admin_dsn, "exam") == []


@pytest.mark.parametrize("table", ATTEMPT_DATA)
def test_every_unique_key_of_attempt_data_leads_with_the_student(table: str) -> None:
    found = metadata.tables[table]
    keys = [list(found.primary_key.columns)]
    keys += [list(index.columns) for index in found.indexes if index.unique]
    keys += [list(c.columns) for c in found.constraints if type(c).__name__ == "UniqueConstraint"]
    assert keys
    assert all(key[0].name == "student_id" for key in keys)


def test_no_column_could_hold_an_answer_key() -> None:
    names = {column.name for table in metadata.tables.values() for column in table.columns}
    assert not {name for name in names if "key" in name or "correct" in name or "explanation" in name}


def test_what_is_history_cannot_be_rewritten_by_the_service(database: TestDatabase) -> None:
    with psycopg.connect(database.serve_dsn, autocommit=True) as connection:
        for statement in (
            "UPDATE question_versions SET text = 'other'",
            "DELETE FROM question_versions",
            "DELETE FROM audit",
            "UPDATE audit SET reason = 'other'",
            "CREATE TABLE anything (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
