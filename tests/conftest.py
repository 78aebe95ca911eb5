"""One running copy of the system for all tests that go through it; it ends after the last one in `tests`."""

import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from examkit.testing.waiting import eventually

from tests.harness.api import ADMIN, STUDENT_PASSWORD, Admin, Student
from tests.harness.oracle import Authored
from tests.harness.system import System
from tests.harness.workbooks import every_type, xlsx

Class = Callable[[int], Awaitable[list[Student]]]
Bank = tuple[dict[str, Authored], list[str]]


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A copy with demo data, started by `up` and ended by `down`."""
    copy = System(Path(tmp_path_factory.mktemp("system")) / "state")
    copy.up()
    yield copy
    copy.down()


@pytest.fixture(scope="package")
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=system.url, timeout=30, limits=limits) as client:
        yield client


@pytest.fixture(scope="package")
async def admin(http: httpx.AsyncClient) -> Admin:
    found = Admin(http)
    await found.login(*ADMIN)
    return found


@pytest.fixture(scope="package")
async def students(system: System, http: httpx.AsyncClient) -> AsyncIterator[Class]:
    """`await students(3)`: the first three of the demo's hundred, logged in, each with a connection."""
    found: list[Student] = []
    async with AsyncExitStack() as stack:

        async def give(count: int) -> list[Student]:
            while len(found) < count:
                client = httpx.AsyncClient(base_url=system.url, timeout=30)
                student = Student(await stack.enter_async_context(client))
                await student.login(f"student{len(found) + 1:03}@example.com", STUDENT_PASSWORD)
                found.append(student)
            return found[:count]

        yield give


@pytest.fixture(scope="package")
async def bank(admin: Admin) -> Bank:
    """Questions of every type, imported from a workbook: by text as authored, and their ids."""
    mark = f"Bank {secrets.token_hex(3)}"
    authored = every_type(mark)
    job = await admin.import_file("bank.xlsx", xlsx(one.row() for one in authored), "questions")
    assert (job["status"], job["imported"]) == ("completed", len(authored)), job
    questions = await admin.bank(q=mark)
    assert len(questions) == len(authored)
    return {one.text: one for one in authored}, [question["id"] for question in questions]


@pytest.fixture
async def healing(system: System, admin: Admin, students: Class, bank: Bank) -> AsyncIterator[None]:
    """For whoever kills or hangs: at the end all are back, and have found each other again."""
    (student,) = await students(1)
    yield

    async def works() -> bool:
        if system.not_ready():
            return False
        try:
            await admin.exam(bank[1])
            for path in ("/auth/me", "/student/exams", "/student/results"):
                await student.ok("GET", path)
            await admin.fails(404, "not_found", "GET", f"/admin/imports/{uuid.uuid4()}")
        except httpx.TransportError:
            return False
        return True

    await eventually(works, timeout=90)
