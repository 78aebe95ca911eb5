"""The stage of a measurement: a running copy of its own, an exam, students who have begun it."""

import asyncio
import base64
import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.harness.api import ADMIN, Admin
from tests.harness.system import System
from tests.load.arrivals import Check, Request, Samples
from tests.load.http import Pool, rendered
from tests.load.meter import Cost, Meter, cost
from tests.load.sink import traced
from tests.load.students import Student, mint

STARTS_AT_ONCE = 64
EXAM_MINUTES = 480
WORKBOOK = Path(__file__).parents[1] / "data" / "questions-science.xlsx"


@dataclass(frozen=True)
class Stage:
    """A copy that runs, with the demo's data and without rate limits."""

    system: System
    sealing_key: bytes = field(repr=False)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.system.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    @property
    def dsn(self) -> str:
        dsn: str = self.system.state()["postgres"]["dsn"]
        return dsn

    def meter(self) -> Meter:
        state = self.system.state()
        pids = {name: entry["pid"] for name, entry in state["services"].items()}
        return Meter(pids | {name: state[name]["pid"] for name in ("gateway", "postgres", "rabbitmq")})

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Admin]:
        async with httpx.AsyncClient(base_url=self.system.url, timeout=120, trust_env=False) as client:
            admin = Admin(client)
            await admin.login(*ADMIN)
            yield admin

    async def exam(self, **settings: Any) -> str:
        """A published exam of 20 questions with four options each; its id."""
        async with self.admin() as admin:
            # The same file again is the same job: it costs an upload.
            await admin.import_file(WORKBOOK.name, WORKBOOK.read_bytes(), "questions", on_error="skip_rows")
            page = await admin.ok("GET", "/admin/questions", params={"limit": 200, "type": "single_choice"})
            questions = [one for one in page["items"] if len(one["options"]) == 4][:20]
            wanted = {"title": "Measured", "duration_minutes": EXAM_MINUTES, "max_attempts": 100}
            ends = {"end_time": None}
            return await admin.exam([one["id"] for one in questions], **(wanted | ends | settings))

    def students(self, count: int) -> list[Student]:
        return mint(self.dsn, self.sealing_key, count)


@contextmanager
def running(folder: str | None = None) -> Iterator[Stage]:
    """`make up` in a folder of its own, with tracing, and down at the end."""
    with tempfile.TemporaryDirectory(prefix="examhall-bench-") as temporary, traced() as tracing:
        sealing_key = secrets.token_bytes(32)
        secret = {"KEY_ENCRYPTION_KEY": base64.b64encode(sealing_key).decode()}
        system = System(Path(folder or temporary) / "state", secret | tracing)
        system.up()
        try:
            yield Stage(system, sealing_key)
        finally:
            system.down()


@asynccontextmanager
async def pool(address: tuple[str, int], size: int) -> AsyncIterator[Pool]:
    found = Pool(*address, size)
    await found.open()
    try:
        yield found
    finally:
        found.close()


def starting(student: Student, exam: str, check: Check) -> Request:
    """The start of an attempt, whose questions the student takes in."""

    def took(status: int, body: bytes) -> bool:
        if not check(status, body):
            return False
        student.began(json.loads(body))
        return True

    return rendered("POST", f"/student/start/{exam}", student.token), took


async def seated(lines: Pool, students: list[Student], exam: str, check: Check) -> Samples:
    """Have everyone begin, so many at a time."""
    samples = Samples()
    gate = asyncio.Semaphore(STARTS_AT_ONCE)

    async def one(student: Student) -> None:
        async with gate:
            request, took = starting(student, exam, check)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def answered(status: int, body: bytes) -> None:
                samples.add(took, status, body, 0.0)
                done.set_result(None)

            lines.send(request, answered)
            await done

    for start in range(0, len(students), 1000):
        await asyncio.gather(*(one(student) for student in students[start : start + 1000]))
    if samples.failures:
        raise SystemExit(f"students could not begin: {samples.failures}")
    return samples


async def metered(meter: Meter, run: Any) -> tuple[Samples, Cost]:
    """What a run gave, and what it cost."""
    before = meter.look()
    samples = await run
    return samples, cost(before, meter.look())
