"""One run: a class works, faults fall, everything comes to rest, and the history is held against the end."""

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from tests.chaos.beside import Beside
from tests.chaos.checker import check
from tests.chaos.disk import SmallDisk
from tests.chaos.ending import Ending
from tests.chaos.faults import Planned
from tests.chaos.history import History, now
from tests.chaos.injector import Injector
from tests.chaos.invigilator import Invigilator, longest_extra
from tests.chaos.scene import Scene
from tests.chaos.stage import Stage
from tests.chaos.violation import Violation
from tests.chaos.workload import Student
from tests.harness.api import ADMIN, STUDENT_PASSWORD, Admin
from tests.harness.system import System
from tests.harness.workbooks import every_type, xlsx

LAST_SITTING = 2.0
"""Seconds that exams stay open after the last fault."""
AT_REST_WITHIN = 50.0
"""Seconds for everything to be graded and empty, once the last attempt's time is up. Less than the minute
after which what was lost would be announced again."""
_FIRST = 100
"""Students are taken from the end of the demo's hundred."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """`began`: when the first student did, on the scale of the history."""

    history: History
    ending: Ending
    violations: Sequence[Violation]
    harm: dict[str, int]
    began: float


async def run(
    system: System,
    plan: Sequence[Planned],
    *,
    seconds: float,
    seed: int,
    students: int,
    disk: SmallDisk | None = None,
    say: Say = lambda _line: None,
) -> Outcome:
    """A run on a system that is up and has the demo's accounts."""
    beside = Beside(system, say)
    async with beside.running(), httpx.AsyncClient(base_url=system.url, timeout=30) as client:
        admin = Admin(client)
        await admin.login(*ADMIN)
        stage = Stage(system, beside, admin)
        authored = every_type(f"Chaos {secrets.token_hex(3)}")
        job = await admin.import_file("chaos.xlsx", xlsx(one.row() for one in authored), "questions")
        assert job["status"] == "completed", job
        questions = [one["id"] for one in await admin.bank(q=authored[0].text.partition(":")[0])]
        scene = Scene(
            History(),
            [("127.0.0.1", system.port), beside.door],
            {one.text: one for one in authored},
            stage.windows,
        )
        everybody = [Student(scene, _FIRST - number, seed) for number in range(students)]
        await beside.up()
        for one in everybody:
            await one.login()
        await stage.make_exams(questions, seconds + LAST_SITTING, seed)
        say(f"{students} students, {len(stage.windows)} exams, {len(plan)} faults in {seconds:.0f} s")
        began = now()
        injector = Injector(system, beside, scene.history, disk)
        invigilator = Invigilator(scene, admin.token, seed)
        await _suffer(scene, everybody, invigilator, injector, plan, seconds)
        ending = await _rest(scene, everybody, stage, say)
    violations = check(scene.history, ending, scene.bank)
    return Outcome(scene.history, ending, violations, dict(scene.harm), began)


async def _suffer(
    scene: Scene,
    everybody: Sequence[Student],
    invigilator: Invigilator,
    injector: Injector,
    plan: Sequence[Planned],
    lasts: float,
) -> None:
    until = now() + lasts
    async with asyncio.TaskGroup() as work:
        for one in everybody:
            work.create_task(one.live())
        work.create_task(_keep_logging_in(scene))
        work.create_task(invigilator.work())
        work.create_task(_keep_asking_import(scene, invigilator.token))
        await injector.run(plan)
        await asyncio.sleep(max(0.0, until - now()))
        scene.over.set()


async def _rest(scene: Scene, everybody: Sequence[Student], stage: Stage, say: Say) -> Ending:
    """Wait until all is closed, graded and empty; then everybody looks once more at what they have."""
    say("faults are over")
    latest = max(window.ends for window in stage.windows) + longest_extra(stage.windows)
    # Grace, late arrivals, and the sweeper's second.
    quiet = max(now(), latest + 10.0)
    at_rest = await stage.settled(quiet + AT_REST_WITHIN - now())
    last_fault = max((fault.lifted for fault in scene.history.faults), default=latest)
    settled_in = now() - max(last_fault, latest) if at_rest else None
    say("at rest" if at_rest else "it does not come to rest")
    await asyncio.gather(*(one.look_back() for one in everybody))
    return await stage.ending(settled_in)


async def _keep_logging_in(scene: Scene) -> None:
    """Somebody who comes late, again and again: the sign of life of auth."""
    line, body = scene.line(), {"email": "student001@example.com", "password": STUDENT_PASSWORD}
    while not scene.over.is_set():
        await line.call("login", "POST", "/auth/login", body)
        await asyncio.sleep(1)
    await line.hang_up()


async def _keep_asking_import(scene: Scene, token: str) -> None:
    """Import's sign of life is that it knows no such job."""
    line = scene.line()
    line.token = token
    while not scene.over.is_set():
        await line.call("import", "GET", f"/admin/imports/{uuid.uuid4()}")
        await asyncio.sleep(0.5)
    await line.hang_up()
