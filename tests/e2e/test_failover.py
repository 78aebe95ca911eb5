"""The primary is lost amid an exam and its synchronous standby takes over: nothing acknowledged is lost."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from examkit.testing.waiting import eventually

from tests.harness import oracle
from tests.harness.api import ADMIN, STUDENT_PASSWORD, Admin, Json, Student
from tests.harness.standby import Pair, standing_by
from tests.harness.system import System
from tests.harness.workbooks import every_type, xlsx
from tests.harness.writer import Writer

WRITERS = 6


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with standing_by(tmp_path) as found:
        yield found


@pytest.fixture
def copy(tmp_path: Path, pair: Pair) -> Iterator[System]:
    """On these two, by the DSN alone: it names both, and wants the one that takes writes."""
    own = System(tmp_path / "state", {"DATABASE_URL": pair.dsn})
    try:
        own.up()
        yield own
    finally:
        own.down()


@asynccontextmanager
async def logged_in(copy: System) -> AsyncIterator[tuple[Admin, list[Student]]]:
    async with httpx.AsyncClient(base_url=copy.url, timeout=30) as http:
        admin = Admin(http)
        await admin.login(*ADMIN)
        students = [Student(http) for _ in range(WRITERS)]
        for number, student in enumerate(students, 1):
            await student.login(f"student{number:03}@example.com", STUDENT_PASSWORD)
        yield admin, students


async def answer_what_is_graded(
    student: Student, attempt: Json, bank: dict[str, oracle.Authored], chance: random.Random
) -> None:
    """Everything but the texts, in which the writer writes."""
    for question in attempt["questions"]:
        if question["type"] not in ("text", "short_text"):
            answer = oracle.an_answer(question, bank[question["text"]], chance)
            assert (await student.save(attempt, question["id"], answer))["outcome"] == "stored"


@asynccontextmanager
async def writing(writers: list[Writer]) -> AsyncIterator[None]:
    """All of them write, until it is left."""
    async with asyncio.TaskGroup() as work:
        for writer in writers:
            writer.stopped = False
            work.create_task(writer.write())
        yield
        for writer in writers:
            writer.stopped = True


async def test_a_standby_takes_over_with_every_acknowledged_answer(pair: Pair, copy: System) -> None:
    authored = every_type(f"Bank {secrets.token_hex(3)}")
    bank = {one.text: one for one in authored}
    async with logged_in(copy) as (admin, students):
        job = await admin.import_file("bank.xlsx", xlsx(one.row() for one in authored), "questions")
        assert job["status"] == "completed", job
        questions = [one["id"] for one in await admin.bank(q=authored[0].text.partition(":")[0])]
        exam_id = await admin.exam(questions)
        writers = [Writer(student, await student.start(exam_id)) for student in students]
        for number, writer in enumerate(writers):
            await answer_what_is_graded(writer.student, writer.attempt, bank, random.Random(number))
        assert pair.is_synchronous()
        async with writing(writers):
            await eventually(lambda: all(writer.newest() > 5 for writer in writers), timeout=60)
            pair.kill_primary()
            await eventually(lambda: all(503 in writer.statuses for writer in writers), timeout=60)
        await asyncio.to_thread(pair.promote)
        for writer in writers:
            # Before anything is written again, which would cover what was lost.
            await eventually(writer.finds_all_of_it, timeout=60)
        reached = [writer.newest() for writer in writers]
        async with writing(writers):
            await eventually(
                lambda: all(one.newest() > at + 5 for one, at in zip(writers, reached, strict=True)),
                timeout=60,
            )
        for writer in writers:
            assert set(writer.statuses) <= {200, 503}
            attempt = await writer.finds_all_of_it()
            given = {question: saved["answer"] for question, saved in attempt["saved_answers"].items()}
            assert (await writer.student.submit(attempt))["status"] == "submitted"
            result = await writer.student.graded(attempt)
            assert result["total_score"] == oracle.score(attempt, bank, given)[0]
            assert {one["question_id"]: one["answer"] for one in result["results"]} == {
                question["id"]: given.get(question["id"]) for question in attempt["questions"]
            }
