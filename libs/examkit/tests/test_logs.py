"""Logs: JSON with its place, without secrets, and without what database errors tell of rows."""

import asyncio
import io
import json
import logging
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa
import structlog
from examkit import logs, telemetry
from examkit.db import Database
from examkit.ids import uuid7
from examkit.testing import TestDatabase
from sqlalchemy.ext.asyncio import create_async_engine

SENTINEL = "the-sentinel"
TEXT = f"first line {SENTINEL}\nDETAIL: second line {SENTINEL}\n\n[SQL: third line {SENTINEL}]"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.setup("exam", "INFO", stream)
    yield stream
    root.handlers, _ = before
    root.setLevel(before[1])
    structlog.reset_defaults()


def test_a_log_line_is_json_with_service_and_trace(lines: io.StringIO) -> None:
    with telemetry.span("request"):
        structlog.get_logger("exam").info("attempt_closed", reason="submitted")
        here = telemetry.trace_id()
    logging.getLogger("some.library").warning("careful: %s", "x")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["event"], first["service"], first["trace_id"]) == ("attempt_closed", "exam", here)
    assert (second["event"], second["level"], second["service"]) == ("careful: x", "warning", "exam")


def test_a_log_line_holds_no_secret(lines: io.StringIO) -> None:
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    logger = structlog.get_logger("exam")
    logger.info("login", password="hidden", Authorization="hidden", note=f"Bearer {token}")
    try:
        raise ConnectionError(f"amqp://exam:hidden@mq:5672 {token}")
    except ConnectionError:
        logger.exception("lost")
    written = lines.getvalue()
    assert "hidden" not in written
    assert token not in written
    assert "ConnectionError" in written


INSERT = sa.text("INSERT INTO notes (id, owner, text) VALUES (:id, :owner, :text)")


async def insert(db: Database, owner: str) -> None:
    async with db.transaction() as tx:
        await tx.conn.execute(INSERT, {"id": uuid7(), "owner": owner, "text": TEXT})


async def check_violation(db: Database, sample: TestDatabase) -> None:
    await insert(db, "")


async def unique_violation(db: Database, sample: TestDatabase) -> None:
    await insert(db, SENTINEL)
    await insert(db, SENTINEL)


async def in_a_group(db: Database, sample: TestDatabase) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(insert(db, ""))


async def without_sqlalchemy(db: Database, sample: TestDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(sample.serve_dsn) as conn:
        await conn.execute("INSERT INTO sample.notes (id, owner, text) VALUES (%s, '', %s)", (uuid7(), TEXT))


async def with_parameters(db: Database, sample: TestDatabase) -> None:
    """By an engine that shows them."""
    engine = create_async_engine(sample.serve_dsn.replace("postgresql:", "postgresql+psycopg:", 1))
    try:
        async with engine.connect() as conn:
            await conn.execute(sa.text("SELECT 1 / (length(CAST(:text AS text)) * 0)"), {"text": TEXT})
    finally:
        await engine.dispose()


@pytest.mark.parametrize(
    "failing", [check_violation, unique_violation, in_a_group, without_sqlalchemy, with_parameters]
)
async def test_a_database_error_is_logged_without_values(
    lines: io.StringIO,
    db: Database,
    sample: TestDatabase,
    failing: Callable[[Database, TestDatabase], Awaitable[None]],
) -> None:
    logger = structlog.get_logger("exam")
    try:
        await failing(db, sample)
    except Exception as error:
        found = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        assert SENTINEL in str(found)
        logger.exception("failed", error=str(found), cause=repr(found))
        logger.error("failed", error=found)
        logging.getLogger("some.library").exception("failed: %s", found)
    else:
        pytest.fail("nothing was wrong")
    assert SENTINEL not in lines.getvalue()
    first, second, third = (json.loads(line) for line in lines.getvalue().splitlines()[-3:])
    for text in (first["exception"], first["error"], first["cause"], second["error"], third["event"]):
        assert "violates" in text or "division by zero" in text
    assert f"in {failing.__name__}" in first["exception"]
    assert "test_a_database_error_is_logged_without_values" in first["exception"]


async def test_what_comes_after_a_database_error_stays(lines: io.StringIO, db: Database) -> None:
    try:
        try:
            await insert(db, "")
        except Exception as error:
            raise LookupError("what it was for") from error
    except LookupError:
        structlog.get_logger("exam").exception("failed")
    text = json.loads(lines.getvalue().splitlines()[-1])["exception"]
    assert "The above exception was the direct cause" in text
    assert text.endswith("LookupError: what it was for")
    assert SENTINEL not in text
