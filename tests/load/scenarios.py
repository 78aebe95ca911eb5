"""The scenarios: each takes the stage, does its work, and adds its lines to the report."""

import asyncio
import csv
import io
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from tests.harness.api import STUDENT_PASSWORD
from tests.load.arrivals import Request, Samples, burst, closed_loop, open_loop
from tests.load.http import Pool, rendered
from tests.load.meter import Cost, cost
from tests.load.report import Report
from tests.load.stage import WORKBOOK, Stage, metered, pool, seated, starting
from tests.load.students import Student, ok, saves

CONNECTIONS = 128
RATES = (333, 1000, 2000, 3333, 5000, 6500)
SAVE_EVERY_SECONDS = 30
_GRADED = "SELECT count(*) FROM grading.grades WHERE exam_id = %s"


@dataclass
class Run:
    """What a scenario is given. `seconds`: how long a steady load lasts; `students`: how many there are."""

    stage: Stage
    report: Report
    seconds: float
    students: int

    async def sat(self, lines: Pool, count: int) -> tuple[str, list[Student]]:
        """An exam, and students who have begun it."""
        exam = await self.stage.exam()
        students = self.stage.students(count)
        await seated(lines, students, exam, ok)
        return exam, students


async def save(run: Run) -> None:
    """As many saves as 128 connections get through, each with the next as soon as the last is answered."""
    async with pool(run.stage.address, CONNECTIONS) as lines:
        _, students = await run.sat(lines, run.students)
        await closed_loop(lines, saves(students), CONNECTIONS, 3)
        loop = closed_loop(lines, saves(students, seed=2), CONNECTIONS, run.seconds)
        run.report.add(
            "save", f"closed loop, {CONNECTIONS} connections", *await metered(run.stage.meter(), loop)
        )


async def curve(run: Run) -> None:
    """Saves at fixed rates: the latency, and what it costs."""
    async with pool(run.stage.address, 512) as lines:
        _, students = await run.sat(lines, run.students)
        await closed_loop(lines, saves(students), CONNECTIONS, 3)
        for rate in RATES:
            loop = open_loop(lines, saves(students, seed=rate), rate, run.seconds)
            samples, spent = await metered(run.stage.meter(), loop)
            run.report.add("curve", f"open loop, {rate} saves/s", samples, spent, rate=rate)


async def sustain(run: Run) -> None:
    """The rate of 100,000 students who save every 30 s, by `--students` of them who save more often."""
    rate = 100_000 / SAVE_EVERY_SECONDS
    async with pool(run.stage.address, 512) as lines:
        _, students = await run.sat(lines, run.students)
        await closed_loop(lines, saves(students), CONNECTIONS, 3)
        meter = run.stage.meter()
        # The first part fills caches and pools: memory is compared from there on.
        await open_loop(lines, saves(students, seed=2), rate, min(30.0, run.seconds))
        samples, spent = await metered(meter, open_loop(lines, saves(students, seed=3), rate, run.seconds))
        grown = {name: round(value, 1) for name, value in spent.memory_growth.items() if abs(value) >= 1}
        name = f"{rate:.0f} saves/s, {run.students} students, {run.seconds:.0f} s"
        run.report.add("sustain", name, samples, spent, grown_mib=grown)


async def start(run: Run) -> None:
    """Starts at 1,000 a second, then a class of 1,000 in the same moment."""
    exam = await run.stage.exam()
    async with pool(run.stage.address, 512) as lines:
        await seated(lines, run.stage.students(300), exam, ok)
        rate = 1000
        people = iter(run.stage.students(int(rate * run.seconds * 1.2) + 100))
        loop = open_loop(lines, lambda: starting(next(people), exam, ok), rate, run.seconds)
        run.report.add("start", f"open loop, {rate} starts/s", *await metered(run.stage.meter(), loop))
        once = burst(lines, [starting(student, exam, ok) for student in run.stage.students(1000)])
        run.report.add("start", "1,000 starts at once", *await metered(run.stage.meter(), once))
        people = iter(run.stage.students(int(3000 * run.seconds)))
        closed = closed_loop(lines, lambda: starting(next(people), exam, ok), 64, run.seconds)
        run.report.add("start", "closed loop, 64 connections", *await metered(run.stage.meter(), closed))


async def submit(run: Run) -> None:
    """Submits at 500 a second until all are graded; then 10,000 students in the last minute."""
    async with pool(run.stage.address, 512) as lines:
        for rate, seconds in ((500.0, run.seconds), (10_000 / 60, max(run.seconds, 60.0))):
            exam, students = await run.sat(lines, int(rate * seconds * 1.15) + 100)
            await _answered(lines, students)
            samples, spent, late = await _until_graded(run, lines, exam, students, rate, seconds)
            name = f"open loop, {rate:.0f} submits/s"
            run.report.add("submit", name, samples, spent, graded_after_seconds=round(late, 2))
        await _submitted_at_once(run, lines)


async def _submitted_at_once(run: Run, lines: Pool) -> None:
    exam, students = await run.sat(lines, 2000)
    await _answered(lines, students)
    meter = run.stage.meter()
    before = meter.look()
    samples = await burst(lines, [student.submit() for student in students])
    async with await psycopg.AsyncConnection.connect(run.stage.dsn, autocommit=True) as database:
        while await _count(database, _GRADED, exam) < len(students):
            await asyncio.sleep(0.01)
    run.report.add("submit", "2,000 submits at once", samples, cost(before, meter.look()))


async def _answered(lines: Pool, students: list[Student]) -> None:
    """Everyone has answered ten questions."""
    following = saves(students, 10)
    await burst(lines, [following() for _ in students])


async def _until_graded(
    run: Run, lines: Pool, exam: str, students: list[Student], rate: float, seconds: float
) -> tuple[Samples, Cost, float]:
    """The samples, what it cost until the last grade, and how long after the last submit was due that was."""
    people = iter(students)
    meter = run.stage.meter()
    before = meter.look()
    due = time.perf_counter() + seconds
    samples = await open_loop(lines, lambda: next(people).submit(), rate, seconds)
    submitted = len(samples.latencies)
    async with await psycopg.AsyncConnection.connect(run.stage.dsn, autocommit=True) as database:
        while await _count(database, _GRADED, exam) < submitted:
            await asyncio.sleep(0.05)
    return samples, cost(before, meter.look()), max(0.0, time.perf_counter() - due)


async def _count(database: "psycopg.AsyncConnection[Any]", query: Any, exam: str) -> int:
    row = await (await database.execute(query, [exam])).fetchone()
    return int(row[0]) if row else 0


async def login(run: Run) -> None:
    """Logins without end beside 1,000 saves a second: how long a save takes meanwhile."""
    async with pool(run.stage.address, 256) as lines, pool(run.stage.address, 16) as doors:
        _, students = await run.sat(lines, run.students)
        await closed_loop(lines, saves(students), CONNECTIONS, 3)
        meter = run.stage.meter()
        before = meter.look()
        stored, logged_in = await asyncio.gather(
            open_loop(lines, saves(students, seed=2), 1000, run.seconds),
            closed_loop(doors, _logins(), 16, run.seconds),
        )
        spent = cost(before, meter.look())
        run.report.add("login", "1,000 saves/s in a login storm", stored, spent)
        run.report.add("login", "the logins, 16 connections", logged_in, spent)


def _logins() -> Callable[[], Request]:
    turn = 0

    def following() -> Request:
        nonlocal turn
        turn = turn % 100 + 1
        body = f'{{"email":"student{turn:03}@example.com","password":"{STUDENT_PASSWORD}"}}'
        return rendered("POST", "/auth/login", body=body.encode()), ok

    return following


async def day(run: Run) -> None:
    """A whole exam in a minute or so: everyone starts, saves every 5 s, submits, and is graded."""
    count, every = run.students, 5.0
    exam = await run.stage.exam()
    students = run.stage.students(count)
    kinds: dict[str, Samples] = {name: Samples() for name in ("start", "save", "submit")}
    meter = run.stage.meter()
    async with pool(run.stage.address, 512) as lines:
        before = meter.look()
        began = time.perf_counter()
        steps = sorted(_steps(students, exam, every, run.seconds), key=lambda step: step[0])
        await _played(lines, steps, kinds, began)
        async with await psycopg.AsyncConnection.connect(run.stage.dsn, autocommit=True) as database:
            while await _count(database, _GRADED, exam) < count:
                await asyncio.sleep(0.05)
        spent = cost(before, meter.look())
    for name, samples in kinds.items():
        samples.seconds = run.seconds
        run.report.add("day", f"{count} students, {name}", samples, spent)


Step = tuple[float, str, Callable[[], Request]]


def _steps(students: list[Student], exam: str, every: float, seconds: float) -> Iterator[Step]:
    chance = random.Random(7)
    for student in students:
        at = chance.uniform(0, seconds / 4)
        yield at, "start", partial(starting, student, exam, ok)
        at += 2.0
        while (at := at + every * chance.uniform(0.8, 1.2)) < seconds * 0.9:
            yield at, "save", partial(student.save, chance, 2)
        yield chance.uniform(seconds * 0.9, seconds), "submit", student.submit


async def _played(lines: Pool, steps: list[Step], kinds: dict[str, Samples], began: float) -> None:
    left = len(steps)

    def send(due: float, samples: Samples, request: Request) -> None:
        message, check = request

        def done(status: int, body: bytes) -> None:
            nonlocal left
            left -= 1
            samples.add(check, status, body, time.perf_counter() - due)

        lines.send(message, done)

    for at, kind, request in steps:
        while (wait := began + at - time.perf_counter()) > 0:
            await asyncio.sleep(min(wait, 0.001))
        send(began + at, kinds[kind], request())
    while left:
        await asyncio.sleep(0.01)


async def importing(run: Run) -> None:
    """The questions of tests/data, made 20,000 rows: from the upload to the last one stored with its key."""
    from openpyxl import load_workbook

    sheet = load_workbook(WORKBOOK, read_only=True).active
    assert sheet is not None
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    data = _as_csv(rows, 20_000)
    meter = run.stage.meter()
    async with run.stage.admin() as admin:
        before, began = meter.look(), time.perf_counter()
        job = await admin.import_file("twenty-thousand.csv", data, "questions", on_error="skip_rows")
        samples = Samples([time.perf_counter() - began], seconds=time.perf_counter() - began)
        spent = cost(before, meter.look())
    rate = round(job["imported"] / samples.seconds)
    run.report.add("import", f"{job['imported']} questions", samples, spent, rows_a_second=rate)


def _as_csv(rows: list[list[Any]], count: int) -> bytes:
    header = [str(name) for name in rows[0]]
    question = header.index("question")
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([name for name in header if name != "external_id"])
    left_out = header.index("external_id") if "external_id" in header else -1
    for number in range(count):
        row = list(rows[1 + number % (len(rows) - 1)])
        row[question] = f"{row[question]} ({number})"
        out.writerow([value for place, value in enumerate(row) if place != left_out])
    return text.getvalue().encode()


SCENARIOS: dict[str, Callable[[Run], Any]] = {
    "save": save,
    "curve": curve,
    "start": start,
    "submit": submit,
    "login": login,
    "day": day,
    "import": importing,
    "sustain": sustain,
}
