"""Students who sit exams while the system is being harmed: two tabs each, clocks that step, impatience.

Everything they do comes from a seed; when they do it depends on the answers they get.
"""

import asyncio
import random
from functools import partial

from tests.chaos.history import Attempt, Json, Result, Resume, Start, Submit, now, seconds
from tests.chaos.scene import Scene
from tests.chaos.tab import Tab
from tests.harness.api import STUDENT_PASSWORD

SHORTEST_SITTING = 4.0
"""Seconds that must be left of an exam for a student to begin."""


class Student:
    """One student of the demo's hundred, with two tabs open on whatever is being sat."""

    def __init__(self, scene: Scene, number: int, seed: int) -> None:
        self._scene = scene
        self._history = scene.history
        self._email = f"student{number:03}@example.com"
        self._chance = random.Random(f"{seed} {number}")
        self._line = scene.line()
        self._lingering: set[str] = set()
        self._deadlines: dict[str, float] = {}
        self.id = ""

    async def login(self) -> None:
        """Raises AssertionError where it fails; this is done while all is well."""
        body = {"email": self._email, "password": STUDENT_PASSWORD}
        call, answer = await self._line.call("login", "POST", "/auth/login", body)
        assert call.ok, answer
        self._line.token, self.id = answer["access_token"], answer["user"]["id"]

    async def live(self) -> None:
        """Sit one exam after the other until it is over."""
        async with asyncio.TaskGroup() as leftovers:
            while not self._scene.over.is_set():
                attempt = await self._begin()
                if attempt is None:
                    await asyncio.sleep(0.3 * self._chance.random() + 0.1)
                elif self._chance.random() < 0.25:
                    self._lingering.add(attempt.exam)
                    leftovers.create_task(self._linger(attempt))
                else:
                    await self._sit(attempt)
        await self._line.hang_up()

    async def _begin(self) -> Attempt | None:
        """A new attempt, or the one that was begun by a start whose answer never came."""
        open_now = [
            window.exam
            for window in self._scene.windows
            if window.opens - 0.2 < now() < window.ends - SHORTEST_SITTING
            and window.exam not in self._lingering
        ]
        if not open_now:
            return None
        exam = self._chance.choice(open_now)
        call, body = await self._line.call("start", "POST", f"/student/start/{exam}")
        found = body.get("student_exam_id", "")
        self._history.starts.append(Start(call=call, student=self.id, exam=exam, attempt=found))
        if call.ok:
            return self._note(body)
        if call.code == "already_started":
            return await self._resume(exam)
        return None

    async def _resume(self, exam: str, attempt: str = "") -> Attempt | None:
        call, body = await self._line.call("resume", "GET", f"/student/resume/{exam}")
        if not call.ok:
            self._history.resumes.append(Resume(call=call, student=self.id, exam=exam, attempt=attempt))
            return None
        found = self._note(body)
        answers = {
            question: (kept["revision"], kept["answer"]) for question, kept in body["saved_answers"].items()
        }
        self._history.resumes.append(
            Resume(
                call=call,
                student=self.id,
                exam=exam,
                attempt=found.id,
                answers=answers,
                questions=body["questions"],
                deadline=seconds(body["deadline"]),
            )
        )
        return found

    def _note(self, body: Json) -> Attempt:
        attempt = Attempt(
            id=body["student_exam_id"],
            student=self.id,
            exam=body["exam"]["id"],
            questions=body["questions"],
            started_at=seconds(body["started_at"]),
            deadline=seconds(body["deadline"]),
            grace=body["grace_seconds"],
        )
        self._deadlines[attempt.id] = attempt.deadline
        return self._history.attempts.setdefault(attempt.id, attempt)

    def _tabs(self, attempt: Attempt) -> list[Tab]:
        """Two, one of which takes its revisions from a clock that is not always right."""
        look = partial(self._resume, attempt.exam, attempt.id)
        return [
            Tab(self._scene, self._line, attempt, look, self._chance.random(), has_clock=has_clock)
            for has_clock in (False, True)
        ]

    async def _sit(self, attempt: Attempt) -> None:
        """Write in both tabs and submit while they are still writing."""
        until = min(now() + self._chance.uniform(1.5, 10.0), attempt.deadline - 0.5)
        tabs = self._tabs(attempt)
        async with asyncio.TaskGroup() as work:
            for tab in tabs:
                work.create_task(tab.write(until + self._chance.uniform(0.0, 0.3)))
            work.create_task(self._look_again(attempt, until))
            handed_in = work.create_task(self._hand_in(attempt, tabs[0], until))
        if handed_in.result():
            await self._see_result(attempt)

    async def _look_again(self, attempt: Attempt, until: float) -> None:
        """Come back now and then, as after a crash of the browser."""
        while True:
            pause = self._chance.uniform(0.5, 3.0)
            if now() + pause > until:
                return
            await asyncio.sleep(pause)
            await self._resume(attempt.exam, attempt.id)

    async def _hand_in(self, attempt: Attempt, tab: Tab, at: float) -> bool:
        """Submit, sometimes twice; whether there was an answer before patience ended."""
        await asyncio.sleep(max(0.0, at - now()))
        for _ in range(20):
            if await self._submit(attempt, tab):
                if self._chance.random() < 0.3:
                    await self._submit(attempt, tab)
                return True
            await asyncio.sleep(self._chance.uniform(0.1, 1.0))
        return False

    async def _submit(self, attempt: Attempt, tab: Tab, along: int = 3) -> bool:
        """Once, with at most so many answers along; whether it was answered."""
        call, told = await tab.submit(self._chance.randint(0, along))
        same = {key: told[key] for key in ("status", "submitted_at", "receipt")} if call.ok else None
        self._history.submits.append(
            Submit(
                call=call,
                attempt=attempt.id,
                closed_as=told.get("status", ""),
                told=same,
                graded=told.get("total_score") is not None,
            )
        )
        return call.ok

    async def _linger(self, attempt: Attempt) -> None:
        """Leave it, and come back when time is nearly up: some save too late, some submit in the grace."""
        tab, _ = self._tabs(attempt)
        if self._chance.random() < 0.5:
            await tab.write(now() + self._chance.uniform(0.5, 3.0))
        while (left := self._deadlines[attempt.id] - 0.7 - now()) > 0:
            await asyncio.sleep(left)
            # It may have moved meanwhile.
            await self._resume(attempt.exam, attempt.id)
        await tab.write(self._deadlines[attempt.id] + self._chance.uniform(0.3, 1.5), pause=0.1)
        if self._chance.random() < 0.5:
            await asyncio.sleep(self._chance.uniform(0.0, 2.0))
            await self._submit(attempt, tab)
        await self._resume(attempt.exam, attempt.id)
        self._lingering.discard(attempt.exam)

    async def _see_result(self, attempt: Attempt) -> None:
        """Look a few times whether there is a grade; others will look at the end."""
        for _ in range(6):
            if await self.result(attempt.id):
                return
            await asyncio.sleep(self._chance.uniform(0.2, 1.0))

    async def look_back(self) -> None:
        """Once all is over: submit every attempt again, which must change nothing, and see its result."""
        for attempt in [one for one in self._history.attempts.values() if one.student == self.id]:
            await self._submit(attempt, self._tabs(attempt)[0], along=0)
            await self.result(attempt.id)
        await self._line.hang_up()

    async def result(self, attempt: str) -> bool:
        """Ask for the result once; whether it was shown with its total."""
        call, body = await self._line.call("result", "GET", f"/student/results/{attempt}")
        self._history.results.append(Result(call=call, attempt=attempt, body=body if call.ok else None))
        return call.ok and body["total_score"] is not None
