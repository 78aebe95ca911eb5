"""What dies, and what is lost: nothing. The rows of the failure table that need the whole system."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness.api import STUDENT_PASSWORD, Admin, Caller, Json, Student
from tests.harness.events import about, heard
from tests.harness.system import System, wait_until
from tests.harness.writer import Writer

pytestmark = pytest.mark.usefixtures("healing")

GRADED = "examhall.grading.attempt.graded.v1"
CLASS = 20


@contextmanager
def hung(system: System, name: str) -> Iterator[None]:
    """The process does nothing, and its connections stay open."""
    pid = system.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it may have been killed as it hung
            os.kill(pid, signal.SIGCONT)


def true_false(attempt: Json) -> str:
    found: str = next(one["id"] for one in attempt["questions"] if one["type"] == "true_false")
    return found


@pytest.mark.parametrize("name", ["postgres", "exam", "gateway"])
async def test_what_dies_under_load_costs_no_acknowledged_answer(
    system: System, admin: Admin, students: Class, bank: Bank, name: str
) -> None:
    everybody = await students(6)
    exam_id = await admin.exam(bank[1])
    writers = [Writer(student, await student.start(exam_id)) for student in everybody]
    async with asyncio.TaskGroup() as work:
        for writer in writers:
            work.create_task(writer.write())
        await eventually(lambda: all(writer.newest() > 5 for writer in writers), timeout=60)
        before = system.kill(name)
        await eventually(lambda: system.pid(name) != before, timeout=60)
        reached = [writer.newest() for writer in writers]
        await eventually(
            lambda: all(one.newest() > at + 5 for one, at in zip(writers, reached, strict=True)), timeout=60
        )
        for writer in writers:
            writer.stopped = True
    for writer in writers:
        assert set(writer.statuses) <= {200, 503} | ({0} if name == "gateway" else set())
        await writer.finds_all_of_it()


async def test_without_rabbitmq_saving_and_submitting_go_on(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    everybody = await students(CLASS)
    exam_id = await admin.exam(bank[1])
    attempts = [await student.start(exam_id) for student in everybody]
    before = await relay_failures(system)
    async with heard(system, GRADED):
        with hung(system, "rabbitmq"):
            for student, attempt in zip(everybody, attempts, strict=True):
                assert (await student.save(attempt, true_false(attempt), "true"))["outcome"] == "stored"
            submitted = await asyncio.gather(*map(Student.submit, everybody, attempts))
            for one in submitted:
                assert (one["status"], one["grading"]) == ("submitted", "pending")
                assert one["total_score"] is None
            path = f"/student/results/{attempts[0]['student_exam_id']}"
            waiting = await everybody[0].ok("GET", path)
            assert (waiting["grading"], waiting["total_score"]) == ("pending", None)

            async def noticed() -> bool:
                return await relay_failures(system) > before

            # It is away for long enough to be given up.
            await eventually(noticed, timeout=60)
    await each_is_graded_once(system, exam_id, everybody, attempts)


async def relay_failures(system: System) -> float:
    """How often exam's events could not be sent."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{system.state()['services']['exam']['ops_url']}/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("examhall_outbox_failures_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def test_a_broker_that_died_comes_back_and_grades_follow(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    everybody = await students(CLASS)
    exam_id = await admin.exam(bank[1])
    attempts = [await student.start(exam_id) for student in everybody]
    system.kill("rabbitmq")
    for student, attempt in zip(everybody, attempts, strict=True):
        await student.save(attempt, true_false(attempt), "true")
        await student.submit(attempt)
    await each_is_graded_once(system, exam_id, everybody, attempts)


@pytest.mark.parametrize("first", ["hangs", "works"])
async def test_grading_killed_midway_grades_each_attempt_once(
    system: System, admin: Admin, students: Class, bank: Bank, first: str
) -> None:
    everybody = await students(CLASS)
    exam_id = await admin.exam(bank[1])
    attempts = [await student.start(exam_id) for student in everybody]
    async with heard(system, GRADED) as events:
        if first == "hangs":
            with hung(system, "grading"):
                submitted = await asyncio.gather(*map(Student.submit, everybody, attempts))
                assert {one["grading"] for one in submitted} == {"pending"}
                system.kill("grading")
        else:
            submitting = asyncio.gather(*map(Student.submit, everybody, attempts))
            await eventually(lambda: count(system, "grades", exam_id) > 0)
            system.kill("grading")
            await submitting
        await each_is_graded_once(system, exam_id, everybody, attempts)
        for attempt in attempts:
            told = about(events, attempt["student_exam_id"])
            assert len({event.delivery.id for event in told}) == 1


async def each_is_graded_once(
    system: System, exam_id: str, everybody: list[Student], attempts: list[Json]
) -> None:
    """Every one of them, with an item for each question, and staff sees each once."""
    for student, attempt in zip(everybody, attempts, strict=True):
        result = await student.graded(attempt, 120)
        assert len(result["results"]) == len(attempt["questions"])
    assert count(system, "grades", exam_id) == len(attempts)
    assert count(system, "grade_items", exam_id) == sum(len(one["questions"]) for one in attempts)

    def known_to_exam() -> bool:
        query = "SELECT count(*) FROM exam.student_exams WHERE exam_id = %s AND graded_version = version"
        return asked(system, query, exam_id) == len(attempts)

    await eventually(known_to_exam, timeout=60)


def count(system: System, table: str, exam_id: str) -> int:
    return asked(system, f"SELECT count(*) FROM grading.{table} WHERE exam_id = %s", exam_id)


def asked(system: System, query: str, exam_id: str) -> int:
    with psycopg.connect(system.state()["postgres"]["dsn"]) as connection:
        row = connection.execute(query, [exam_id]).fetchone()
        assert row is not None
        return int(row[0])


async def test_without_auth_who_is_logged_in_goes_on(
    system: System, admin: Admin, students: Class, bank: Bank, http: httpx.AsyncClient
) -> None:
    everybody = await students(3)
    exam_id = await admin.exam(bank[1])
    writers = [Writer(student, await student.start(exam_id)) for student in everybody]
    login = {"email": "student001@example.com", "password": STUDENT_PASSWORD}

    async def logs_in() -> bool:
        response = await http.post("/api/v1/auth/login", json=login)
        assert response.status_code in (200, 503)
        return response.status_code == 200

    async with asyncio.TaskGroup() as work:
        for writer in writers:
            work.create_task(writer.write())
        with hung(system, "auth"):
            problem = await Caller(http).fails(503, "unavailable", "POST", "/auth/login", json=login)
            assert problem["detail"]
            system.kill("auth")
        reached = [writer.newest() for writer in writers]
        await eventually(
            lambda: all(one.newest() > at + 5 for one, at in zip(writers, reached, strict=True)), timeout=60
        )
        await eventually(logs_in, timeout=60)
        for writer in writers:
            writer.stopped = True
    for writer in writers:
        assert set(writer.statuses) == {200}
        assert (await writer.student.submit(writer.attempt))["status"] == "submitted"


@pytest.mark.parametrize("name", ["auth", "exam", "grading", "import", "gateway"])
async def test_a_process_that_dies_is_restarted(system: System, name: str) -> None:
    before = system.kill(name)
    await eventually(lambda: system.pid(name) != before, timeout=60)
    await eventually(lambda: name not in system.not_ready(), timeout=60)


async def test_two_copies_run_side_by_side_and_down_leaves_nothing(system: System, tmp_path: Path) -> None:
    other = System(tmp_path / "other", {"DEMO": "0"})
    other.up()
    try:
        async with httpx.AsyncClient() as client:
            for copy in (system, other):
                assert (await client.get(f"{copy.url}/readyz")).status_code == 200
        assert len(_processes(other.state_dir)) >= 7
    finally:
        other.down()
    wait_until(lambda: not _processes(other.state_dir), "every process of the copy ends", 20)
    assert _processes(system.state_dir)


def _processes(state_dir: Path) -> list[str]:
    """The processes that were started for this state folder, by the mark in their environment."""
    mark = f"EXAMHALL_STATE_DIR={state_dir}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
