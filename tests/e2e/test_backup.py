"""A backup taken amid an exam, the machine lost, and the exam going on from the backup."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from examkit.testing.waiting import eventually

from tests.harness.api import ADMIN, STUDENT_PASSWORD, Admin, Json, Student
from tests.harness.system import System
from tests.harness.workbooks import every_type, xlsx

# What a role may do, and where: nothing of it may be lost or gained on the way.
_RIGHTS = """
    SELECT 'role ' || rolname, concat(rolsuper, rolcanlogin, rolinherit, rolcreatedb, rolcreaterole)
    FROM pg_roles WHERE rolname !~ '^pg_'
    UNION ALL
    SELECT 'schema ' || nspname, concat(pg_get_userbyid(nspowner), ' ', nspacl) FROM pg_namespace
    WHERE nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT concat('table ', relnamespace::regnamespace, '.', relname),
           concat(pg_get_userbyid(relowner), ' ', relacl)
    FROM pg_class WHERE relnamespace::regnamespace::text IN ('auth', 'exam', 'grading', '"import"')
    UNION ALL
    SELECT concat('default ', defaclrole::regrole, ' ', defaclobjtype), defaclacl::text FROM pg_default_acl
    UNION ALL
    SELECT concat('setting ', setrole::regrole), setconfig::text FROM pg_db_role_setting
    UNION ALL
    SELECT 'database ' || datname, datacl::text FROM pg_database WHERE datname = current_database()
"""


@dataclass
class Scene:
    """Who is where in the exam when the backup is taken."""

    graded: tuple[Student, Json]
    sitting: tuple[Student, Json]
    waiting: list[tuple[Student, Json]]
    withheld: tuple[Student, Json]


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[System]:
    own = System(tmp_path / "state")
    own.up()
    yield own
    own.down()


@asynccontextmanager
async def clients(copy: System, count: int) -> AsyncIterator[list[Any]]:
    """An admin and so many students, each with cookies of their own."""
    everybody: list[Any] = []
    for number in range(count + 1):
        http = httpx.AsyncClient(base_url=copy.url, timeout=30)
        caller = Student(http) if number else Admin(http)
        await caller.login(*((f"student{number:03}@example.com", STUDENT_PASSWORD) if number else ADMIN))
        everybody.append(caller)
    try:
        yield everybody
    finally:
        for caller in everybody:
            await caller.http.aclose()


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def query(copy: System, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(copy.state()["postgres"]["dsn"]) as admin:
        return sorted(admin.execute(text).fetchall())


async def bank(admin: Admin) -> list[str]:
    mark = f"Backup {secrets.token_hex(3)}"
    authored = every_type(mark)
    await admin.import_file("bank.xlsx", xlsx(one.row() for one in authored), "questions")
    return [question["id"] for question in await admin.bank(q=mark)]


def question(attempt: Json, kind: str) -> str:
    found: str = next(one["id"] for one in attempt["questions"] if one["type"] == kind)
    return found


async def sits(student: Student, exam_id: str, *, submits: bool) -> tuple[Student, Json]:
    attempt = await student.start(exam_id)
    await student.save(attempt, question(attempt, "true_false"), "true", revision=1)
    await student.save(attempt, question(attempt, "numeric"), "42", revision=7)
    if submits:
        await student.submit(attempt)
    return student, attempt


@asynccontextmanager
async def saving(student: Student, attempt: Json) -> AsyncIterator[list[int]]:
    """One student goes on saving; the revisions that were acknowledged. Every save must be."""
    acknowledged: list[int] = []
    stop = asyncio.Event()

    async def save() -> None:
        while not stop.is_set():
            revision = len(acknowledged) + 2
            await student.save(attempt, question(attempt, "true_false"), "false", revision=revision)
            acknowledged.append(revision)

    task = asyncio.create_task(save())
    try:
        yield acknowledged
    finally:
        stop.set()
        await task


async def amid_an_exam(copy: System, admin: Admin, students: list[Student]) -> Scene:
    """One graded, one who goes on, one withheld by a change that is still on its way; see `backed_up`."""
    questions = await bank(admin)
    exam_id, changing = await admin.exam(questions), await admin.exam(questions)
    graded, withheld = [
        await sits(student, which, submits=True)
        for student, which in zip(students[:2], (exam_id, changing), strict=True)
    ]
    for student, attempt in (graded, withheld):
        await student.graded(attempt)
    sitting = await sits(students[2], exam_id, submits=False)
    with standing_still(copy.pid("grading")):
        in_rabbitmq = await sits(students[3], exam_id, submits=True)
        await admin.ok("PATCH", f"/admin/exams/{changing}", json={"result_policy": "manual"})
        await eventually(lambda: query(copy, "SELECT count(*) FROM exam.outbox") == [(0,)])
        with standing_still(copy.pid("rabbitmq")):
            in_the_outbox = await sits(students[4], exam_id, submits=True)
            assert query(copy, "SELECT count(*) > 0 FROM exam.outbox") == [(True,)]
            await backed_up(copy, await sits(students[5], exam_id, submits=False))
    return Scene(graded, sitting, [in_rabbitmq, in_the_outbox], withheld)


async def backed_up(copy: System, busy: tuple[Student, Json]) -> None:
    async with saving(*busy) as acknowledged:
        await eventually(lambda: acknowledged)
        done = await asyncio.to_thread(copy.command, "backup", "--to", str(copy.state_dir.parent / "a.tar"))
        assert done.returncode == 0, done.stdout + done.stderr


def lose_everything_and_restore(copy: System) -> None:
    file = copy.state_dir.parent / "a.tar"
    secret = (copy.state_dir / "passwords.json").read_text()
    copy.command("clean")
    assert not copy.state_dir.exists()
    done = copy.command("restore", "--from", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(word in done.stdout + done.stderr for word in secret.split('"') if len(word) > 30)
    copy.up()


@pytest.mark.timeout(400)
async def test_an_exam_goes_on_from_a_backup(copy: System) -> None:
    async with clients(copy, 6) as (admin, *students):
        scene = await amid_an_exam(copy, admin, students)
        student, attempt = scene.sitting
        saved = await student.save(attempt, question(attempt, "numeric"), "43", revision=8)
        assert saved["outcome"] == "stored"
        seen = await student_sees(scene)
        audit = await admin.pages("/admin/audit", {"object_type": "exam"})
        rights = query(copy, _RIGHTS)

        lose_everything_and_restore(copy)

        assert query(copy, _RIGHTS) == rights
        # Who was logged in is so still: the same token, the same cookie; and whoever was not can log in.
        assert await admin.pages("/admin/audit", {"object_type": "exam"}) == audit
        await student.ok("POST", "/auth/refresh", headers={"Origin": copy.url})
        await student.login("student003@example.com", STUDENT_PASSWORD)
        assert await student_sees(scene) == seen

        # The attempt in progress is as it was; the client still has what it saved since, and sends it again.
        resumed = await student.ok("GET", f"/student/resume/{attempt['exam']['id']}")
        assert resumed["questions"] == attempt["questions"]
        assert resumed["deadline"] == attempt["deadline"]
        answers = {one: (s["answer"], s["revision"]) for one, s in resumed["saved_answers"].items()}
        numeric = question(attempt, "numeric")
        assert answers == {question(attempt, "true_false"): ("true", 1), numeric: ("42", 7)}
        assert (await student.save(attempt, numeric, "43", revision=8))["outcome"] == "stored"
        assert (await student.submit(attempt))["status"] == "submitted"

        # What was on its way, in RabbitMQ or before it, arrives.
        for waiting, closed in scene.waiting:
            assert (await waiting.graded(closed, 120))["grading"] == "complete"
        refused, its = scene.withheld
        path = f"/student/results/{its['student_exam_id']}"

        async def withheld() -> bool:
            return (await refused.call("GET", path)).status_code == 403

        await eventually(withheld, timeout=30)


async def student_sees(scene: Scene) -> Json:
    student, attempt = scene.graded
    found: Json = await student.ok("GET", f"/student/results/{attempt['student_exam_id']}")
    assert found["total_score"] is not None
    return found
