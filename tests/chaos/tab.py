"""One browser tab: saves answers in every way there is, and chooses revisions as it sees fit."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from tests.chaos.history import Answer, Attempt, Call, Json, Save, now
from tests.chaos.line import PATIENCE, Line
from tests.chaos.scene import Scene
from tests.harness import oracle
from tests.harness.api import stamp

Sent = tuple[str, Answer, int | None]
"""Question, answer, revision."""
Look = Callable[[], Awaitable[object]]

THINK_SECONDS = 0.3
DAY = 86_400.0


class Tab:
    """Writes in one attempt; `look` resumes it, and is what the tab does first when something failed.

    With `has_clock` its revisions are milliseconds of a clock that steps; else each is the last it knows + 1.
    Either way they only grow within the tab, as the contract wants.
    """

    def __init__(
        self, scene: Scene, line: Line, attempt: Attempt, look: Look, seed: float, *, has_clock: bool
    ) -> None:
        self._scene = scene
        self._line = line
        self._attempt = attempt
        self._look = look
        self._chance = random.Random(seed)
        self._has_clock = has_clock
        self._clock_is_off = 0.0
        self._revisions: dict[str, int] = {}
        self._sent: list[Sent] = []

    async def write(self, until: float, pause: float = THINK_SECONDS) -> None:
        """Save one thing after the other until then; what failed is tried again, as it was."""
        ways = (self._save_one, self._save_some, self._save_blindly, self._save_again, self._contradict)
        while now() < until:
            (way,) = self._chance.choices(ways, (60, 15, 8, 10, 7))
            await way(until)
            if self._chance.random() < 0.05:
                await self._step_clock()
            await asyncio.sleep(self._chance.uniform(0, 2 * pause))

    async def _save_one(self, until: float) -> None:
        await self._until_answered("save", self._some(1), until)

    async def _save_some(self, until: float) -> None:
        await self._until_answered("saves", self._some(self._chance.randint(2, 5)), until)

    async def _save_blindly(self, _until: float) -> None:
        """Without a revision; not again, that would be another save."""
        ((question, answer, _),) = self._some(1)
        await self._save("save", [(question, answer, None)])

    async def _save_again(self, _until: float) -> None:
        """A late or doubled request: something that was sent before."""
        if self._sent:
            await self._save("save", [self._chance.choice(self._sent[-30:])])

    async def _contradict(self, _until: float) -> None:
        """Another answer under a revision that was used: a client with a bug."""
        if self._sent:
            question, _, revision = self._chance.choice(self._sent[-30:])
            await self._save("save", [(question, self._answer(question), revision)])

    async def _step_clock(self) -> None:
        """The clock jumps, and the page reports with it."""
        self._clock_is_off = self._chance.choice((-DAY, -60.0, 0.0, 60.0, DAY)) * self._chance.random()
        self._scene.harm["clock step"] += 1
        at = stamp(datetime.fromtimestamp(now() + self._clock_is_off, UTC))
        body = {"student_exam_id": self._attempt.id, "events": [{"kind": "tab_visible", "at": at}]}
        await self._line.call("events", "POST", "/student/events", body)

    async def _until_answered(self, way: str, answers: list[Sent], until: float) -> None:
        """Again and again the same, with growing pauses, as the page does with its journal."""
        pause = 0.1
        while True:
            call = await self._save(way, answers)
            if not call.is_unknown or now() > until:
                return
            await asyncio.sleep(pause * self._chance.uniform(0.5, 1.5))
            await self._look()
            pause = min(2 * pause, 1.0)

    async def _save(self, way: str, answers: list[Sent]) -> Call:
        sent = [_sent(*one) for one in answers]
        if way == "save":
            path, body = "/student/save-answer", {"student_exam_id": self._attempt.id, **sent[0]}
        else:
            path, body = "/student/save-answers", {"student_exam_id": self._attempt.id, "answers": sent}
        call, told = await self._line.call(way, "POST", path, body, patience=self._patience())
        for one in answers:
            self._note(call, one, _verdict(one[0], call, told))
        return call

    def _patience(self) -> float:
        """Now and then the line is cut while a request is under way."""
        if self._chance.random() < 0.01:
            self._scene.harm["line cut"] += 1
            return self._chance.uniform(0.001, 0.03)
        return PATIENCE

    async def submit(self, count: int) -> tuple[Call, Json]:
        """Submit, with new answers to so many questions along, some of them without a revision."""
        answers = [self._maybe_blind(one) for one in self._some(count)]
        body = {"student_exam_id": self._attempt.id, "answers": [_sent(*one) for one in answers]}
        call, told = await self._line.call("submit", "POST", "/student/submit", body)
        for one in answers:
            self._note(call, one, _verdict(one[0], call, told))
        return call, told

    def _note(self, call: Call, sent: Sent, verdict: Json) -> None:
        question, answer, revision = sent
        told = verdict.get("revision")
        self._scene.history.saves.append(
            Save(
                call=call,
                attempt=self._attempt.id,
                question=question,
                answer=answer,
                sent=revision,
                outcome=verdict["outcome"],
                code=verdict.get("code", ""),
                told=told,
            )
        )
        if told is not None and not self._has_clock:
            self._revisions[question] = max(told, self._revisions.get(question, 0))

    def _maybe_blind(self, sent: Sent) -> Sent:
        question, answer, _ = sent
        return (question, answer, None) if self._chance.random() < 0.4 else sent

    def _some(self, count: int) -> list[Sent]:
        """New answers to so many questions."""
        chosen = self._chance.sample(self._attempt.questions, count)
        return [self._new(question["id"]) for question in chosen]

    def _new(self, question: str) -> Sent:
        revision = self._revisions.get(question, -1) + 1
        if self._has_clock:
            revision = max(revision, round((now() + self._clock_is_off) * 1000))
        self._revisions[question] = revision
        new = (question, self._answer(question), revision)
        self._sent.append(new)
        return new

    def _answer(self, question_id: str) -> Answer:
        question = next(one for one in self._attempt.questions if one["id"] == question_id)
        if question["type"] == "text":
            return f"Thought number {self._chance.randrange(10**9)}."
        found: Answer = oracle.an_answer(question, self._scene.bank[question["text"]], self._chance)
        return found


def _sent(question: str, answer: Answer, revision: int | None) -> Json:
    sent: Json = {"question_id": question, "answer": answer}
    return sent if revision is None else sent | {"revision": revision}


def _verdict(question: str, call: Call, told: Json) -> Json:
    """What the reply says of the answer to this question: outcome, code, revision."""
    if not call.ok:
        current = told.get("current") or {}
        outcome = "unknown" if call.is_unknown else "conflict" if call.code == "conflict" else "rejected"
        return {"outcome": outcome, "code": call.code, "revision": current.get("revision")}
    if call.name == "save":
        return told
    found = [one for one in told.get("saved", ()) if one["question_id"] == question]
    found += [_refused(one) for one in told["rejected"] if one["question_id"] == question]
    # A submit names only what it did not take.
    return found[0] if found else {"outcome": "stored" if call.name == "submit" else "missing"}


def _refused(one: Json) -> Json:
    outcome = one["code"] if one["code"] in ("superseded", "conflict") else "rejected"
    return {"outcome": outcome, "code": one["code"], "revision": (one.get("current") or {}).get("revision")}
