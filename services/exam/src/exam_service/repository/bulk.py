"""Many rows in one statement: they travel as one JSON document, which Postgres takes apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_records(
    conn: AsyncConnection,
    table: sa.Table,
    records: Sequence[Mapping[str, Any]],
    *,
    replacing: Sequence[str] = (),
) -> None:
    """Insert these rows, all with the same columns, in their order.

    Of a row whose primary key exists the columns named in `replacing` are replaced. 500 rows cost two
    orders of magnitude less than 500 statements, and unlike one statement with 500 × n parameters it is
    the same text whatever the number of rows. Texts must be free of NUL, which no jsonb holds.
    """
    if not records:
        return
    names = list(records[0])
    columns = ", ".join(names)
    types = ", ".join(f"{name} {_type(table.c[name])}" for name in names)
    conflict = ""
    if replacing:
        key = ", ".join(column.name for column in table.primary_key)
        changes = ", ".join(f"{name} = excluded.{name}" for name in replacing)
        conflict = f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
    # Every name here is a column of our own tables; values travel in the parameter alone.
    statement = (
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} "  # noqa: S608
        f"FROM ROWS FROM (jsonb_to_recordset(CAST(:records AS jsonb)) AS ({types})) "
        f"WITH ORDINALITY AS record ({columns}, ordinality) ORDER BY ordinality{conflict}"
    )
    await conn.execute(sa.text(statement), {"records": msgspec.json.encode(records).decode()})


def _type(column: "sa.Column[Any]") -> str:
    return column.type.compile(dialect=pg.dialect())  # type: ignore[no-untyped-call]
