"""The operator's command, run as a process."""

import asyncio
import sys
from uuid import UUID

from examkit.db import Database
from examkit.ids import uuid7
from examkit.testing.databases import TestDatabase
from grading_service.repository.papers import PaperCache
from grading_service.usecases.grade_attempts import grade_attempts
from grading_service.usecases.put_mark import put_mark

from .conftest import ALL_RIGHT, NOW, SENTINEL, FrozenExam


async def run(database: TestDatabase, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "grading_service", *arguments),
        env={"DATABASE_URL": database.serve_dsn, "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_what_grading_has_of_an_attempt(
    db: Database, database: TestDatabase, cache: PaperCache, exam: FrozenExam
) -> None:
    closed = exam.closed(ALL_RIGHT)
    attempt, marker = str(closed.student_exam_id), uuid7()
    assert await run(database, "attempt", attempt) == (0, "grading: no grade yet\n")
    async with db.transaction() as tx:
        await grade_attempts(tx, cache, [closed], NOW)

    status, output = await run(database, "attempt", attempt)
    assert status == 0, output
    assert "version 2 (submitted) as of 2026-03-02T12:00:00.000Z" in output
    assert "5 questions graded, 1 wait for a marker" in output
    assert "examhall.grading.attempt.graded.v1 waits for the broker" in output

    await put_mark(
        db, cache, closed.student_exam_id, UUID(exam.question_ids[5]), 150, "A comment.", marker, NOW
    )
    status, output = await run(database, "attempt", attempt)
    assert "6 questions graded, 0 wait for a marker" in output
    assert f"answer.marked by user {marker}" in output
    assert not any(secret in output for secret in (SENTINEL, "An essay.", "A comment.", "1.5", "150"))


async def test_what_is_no_id_is_said(database: TestDatabase) -> None:
    assert await run(database, "attempt", "nonsense") == (1, "There is no such attempt.\n")
