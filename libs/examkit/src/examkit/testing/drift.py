"""Whether the migrated schema is the one that the code declares: both are read back from Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

_SCRATCH = "declared_by_the_code"

_COLUMNS = """
    SELECT c.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attnotnull THEN 'NOT NULL' END,
           'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
           CASE a.attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY' END,
           CASE a.attgenerated WHEN 's' THEN 'STORED' END)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition
"""
_CONSTRAINTS = """
    SELECT c.relname || ' constraint ' || n.conname, pg_get_constraintdef(n.oid)
    FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
    WHERE c.relnamespace = to_regnamespace(current_schema()) AND NOT c.relispartition AND n.contype <> 'n'
"""
_INDEXES = """
    SELECT c.relname || ' index ' || i.relname, replace(pg_get_indexdef(i.oid), current_schema() || '.', '')
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
    WHERE c.relnamespace = to_regnamespace(current_schema()) AND NOT c.relispartition
          AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conindid = i.oid)
"""
_ENUMS = """
    SELECT 'type ' || t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typnamespace = to_regnamespace(current_schema()) GROUP BY t.typname
"""


def schema_drift(metadata: sa.MetaData, admin_dsn: str, schema: str) -> list[str]:
    """One line for each difference between the migrated `schema` and what `metadata` declares; [] for none.

    Compares columns, defaults, constraints, indexes (predicates too) and enum types, by name and
    definition; not the order of columns, comments, triggers or storage parameters. `admin_dsn` must be
    an administrator's (of a TestDatabase): the declared tables are created for a moment, and rolled back.
    """
    with _rolled_back(admin_dsn) as connection:
        migrated = _described(connection, schema)
        connection.exec_driver_sql(f"CREATE SCHEMA {_SCRATCH}")
        _look_into(connection, _SCRATCH)
        metadata.create_all(connection, checkfirst=False)
        declared = _described(connection, _SCRATCH)
    migrated = {name: text for name, text in migrated.items() if not name.startswith("alembic_version")}
    return [
        f"{name}: migrated {migrated.get(name)!r}, declared {declared.get(name)!r}"
        for name in sorted(migrated.keys() | declared.keys())
        if migrated.get(name) != declared.get(name)
    ]


@contextmanager
def _rolled_back(dsn: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        try:
            yield connection
        finally:
            connection.rollback()


def _look_into(connection: sa.Connection, schema: str) -> None:
    connection.execute(sa.text("SELECT set_config('search_path', :path, true)"), {"path": f'"{schema}"'})


def _described(connection: sa.Connection, schema: str) -> dict[str, str]:
    _look_into(connection, schema)
    found: dict[str, str] = {}
    for query in (_COLUMNS, _CONSTRAINTS, _INDEXES, _ENUMS):
        rows: Any = connection.exec_driver_sql(query.replace("%", "%%"))
        found.update(
            (name, text.replace(f'"{schema}".', "").replace(f"{schema}.", "")) for name, text in rows
        )
    return found
