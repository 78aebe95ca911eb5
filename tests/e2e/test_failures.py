"""What dies, and what is lost: nothing. The rows of the failure table that need the whole system."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, Student
from tests.harness.system import System, wait_until


async def true_false(attempt: Json) -> str:
    found: str = next(one["id"] for one in attempt["questions"] if one["type"] == "true_false")
    return found


async def test_without_rabbitmq_saving_and_submitting_go_on(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)
    question_id = await true_false(attempt)
    broker = system.pid("rabbitmq")
    os.kill(broker, signal.SIGSTOP)
    try:
        assert (await student.save(attempt, question_id, "true"))["outcome"] == "stored"
        submitted = await student.submit(attempt)
        assert (submitted["status"], submitted["grading"]) == ("submitted", "pending")
        assert submitted["total_score"] is None
        path = f"/student/results/{attempt['student_exam_id']}"
        waiting = await student.ok("GET", path)
        assert (waiting["grading"], waiting["total_score"]) == ("pending", None)
    finally:
        os.kill(broker, signal.SIGCONT)
    assert (await student.graded(attempt, 120))["grading"] == "complete"


async def test_a_broker_that_died_comes_back_and_grades_follow(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)
    system.kill("rabbitmq")
    await student.save(attempt, await true_false(attempt), "true")
    await student.submit(attempt)
    assert (await student.graded(attempt, 120))["grading"] == "complete"


async def test_grading_killed_midway_grades_each_attempt_once(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    everybody = await students(40)
    exam_id = await admin.exam(bank[1])
    attempts = await asyncio.gather(*(student.start(exam_id) for student in everybody))

    async def finish(student: Student, attempt: Json) -> Json:
        await student.save(attempt, await true_false(attempt), "true")
        return await student.submit(attempt)

    submitting = asyncio.gather(*map(finish, everybody, attempts))
    await asyncio.sleep(0.3)
    system.kill("grading")
    await submitting
    for student, attempt in zip(everybody, attempts, strict=True):
        await student.graded(attempt, 120)
    results = await admin.pages(f"/admin/exams/{exam_id}/results")
    assert len({one["student_exam_id"] for one in results}) == len(results) == len(everybody)


async def test_postgres_killed_heals_and_loses_nothing_acknowledged(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)
    question_id = await true_false(attempt)
    acknowledged: dict[int, str] = {}
    stop = asyncio.Event()

    async def keep_saving() -> None:
        revision = 0
        while not stop.is_set():
            revision += 1
            answer = ("true", "false")[revision % 2]
            body: Json = {
                "student_exam_id": attempt["student_exam_id"],
                "question_id": question_id,
                "answer": answer,
                "revision": revision,
            }
            response = await student.call("POST", "/student/save-answer", json=body)
            assert response.status_code in (200, 503), response.text
            if response.status_code == 200:
                acknowledged[revision] = answer
            else:
                assert response.headers["retry-after"]
                await asyncio.sleep(0.05)

    saving = asyncio.create_task(keep_saving())
    await eventually(lambda: len(acknowledged) > 20)
    system.kill("postgres")
    await eventually(lambda: max(acknowledged) > min(acknowledged) + len(acknowledged), timeout=60)
    count = len(acknowledged)
    await eventually(lambda: len(acknowledged) > count + 20, timeout=60)
    stop.set()
    await saving
    resumed = await student.ok("GET", f"/student/resume/{exam_id}")
    saved = resumed["saved_answers"][question_id]
    assert saved["revision"] >= max(acknowledged)
    if saved["revision"] in acknowledged:
        assert saved["answer"] == acknowledged[saved["revision"]]


@pytest.mark.parametrize("name", ["auth", "exam", "grading", "import", "gateway"])
async def test_a_process_that_dies_is_restarted(system: System, http: httpx.AsyncClient, name: str) -> None:
    before = system.kill(name)
    await eventually(lambda: system.pid(name) != before, timeout=60)
    state = system.state()
    ops = (state["services"].get(name) or state[name])["ops_url"]

    async def is_ready() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{ops}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(is_ready, timeout=60)


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
