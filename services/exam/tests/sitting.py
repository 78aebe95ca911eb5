"""Makes what tests of attempts need: exams to sit, students, saves, and attempts whose time has passed."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from exam_service.attempt_errors import AttemptHeld
from exam_service.domain.paper import Paper
from exam_service.domain.saving import SaveResult
from exam_service.repository.attempts import KnownAttempts
from exam_service.repository.papers import PaperCache
from exam_service.usecases.judging import SentAnswer
from exam_service.usecases.resume import resume
from exam_service.usecases.save import Saver, SaveRequest
from exam_service.usecases.start import Sitting, Starter
from exam_service.usecases.submit import Submitted, Submitter
from examkit.db import Database
from examkit.errors import unauthenticated
from examkit.principal import Principal
from examprotos.exam.v1 import events_pb2

from .builders import bank, content, events, published, rows, write

EVERY_TYPE = ("single_choice", "multi_choice", "true_false", "numeric", "short_text", "text", "image")


def student(*groups: str, role: str = "student") -> Principal:
    return Principal(uuid4(), role, frozenset(groups), uuid4(), 1, time.time() + 3600)


def sent(question_id: UUID | str, answer: Any, revision: int | None = None) -> SentAnswer:
    return SentAnswer(str(question_id), json.dumps(answer).encode(), revision)


@dataclass
class Hall:
    """The use cases of attempts on one database; a student's token is the text of their id."""

    db: Database
    papers: PaperCache
    known: KnownAttempts = field(default_factory=KnownAttempts)
    principals: dict[str, Principal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.saver = Saver(self.db, self.papers, self.known, self._verify)
        self.starter = Starter(self.db, self.papers, self.known)
        self.submitter = Submitter(self.db, self.papers, self.known)

    async def _verify(self, token: str) -> Principal:
        if token not in self.principals:
            raise unauthenticated("The access token is not valid.")
        return self.principals[token]

    def admit(self, *groups: str, role: str = "student") -> Principal:
        """A new student who is signed in."""
        principal = student(*groups, role=role)
        self.principals[str(principal.user_id)] = principal
        return principal

    async def exam(self, types: Sequence[str] = EVERY_TYPE, **changes: Any) -> UUID:
        """A published exam with a question of each of these types."""
        contents = [content(f"{number}: {kind}?", type=kind) for number, kind in enumerate(types)]
        question_ids = await bank(self.db, *contents)
        return (await published(self.db, question_ids, **changes)).exam.id

    async def paper(self, exam_id: UUID) -> Paper:
        return await self.papers.get(exam_id)

    async def start(self, who: Principal, exam_id: UUID, access_code: str = "") -> Sitting:
        return await self.starter.start(who, str(exam_id), access_code)

    async def resume(self, who: Principal, exam_id: UUID) -> Sitting:
        return await resume(self.db, self.papers, who, str(exam_id))

    async def sits(self, exam_id: UUID) -> tuple[Principal, Sitting]:
        """A new student who has started."""
        who = self.admit()
        return who, await self.start(who, exam_id)

    def request(
        self, who: Principal, attempt: UUID | str, *answers: SentAnswer, elapsed: float = 0.0
    ) -> SaveRequest:
        return SaveRequest(str(who.user_id), str(attempt), answers, time.monotonic() - elapsed)

    async def save(
        self, who: Principal, attempt: UUID | str, *answers: SentAnswer, elapsed: float = 0.0
    ) -> SaveResult:
        """What was set aside goes again, as from the gateway."""
        request = self.request(who, attempt, *answers, elapsed=elapsed)
        while True:
            (result,) = await self.saver.save_batch([request])
            if not isinstance(result.fault, AttemptHeld):
                return result
            await asyncio.sleep(0.01)

    async def submit(
        self, who: Principal, attempt: UUID | str, *answers: SentAnswer, elapsed: float = 0.0
    ) -> Submitted:
        return await self.submitter.submit(who, str(attempt), answers, time.monotonic() - elapsed)

    async def move_deadline(self, attempt: UUID, seconds: float) -> None:
        """Have the attempt's deadline in so many seconds from now; negative: it has passed."""
        await write(
            self.db,
            "UPDATE student_exams SET deadline = now() + make_interval(secs => :s) WHERE id = :id",
            s=seconds,
            id=attempt,
        )

    async def row(self, attempt: UUID) -> dict[str, Any]:
        (row,) = await rows(self.db, "SELECT * FROM student_exams WHERE id = :id", id=attempt)
        return row

    async def stored(self, attempt: UUID) -> dict[UUID, tuple[Any, int]]:
        """Answer and revision by question."""
        found = await rows(
            self.db,
            "SELECT question_id, answer, revision FROM student_answers WHERE student_exam_id = :id",
            id=attempt,
        )
        return {row["question_id"]: (row["answer"], row["revision"]) for row in found}

    async def closed_events(self, attempt: UUID | None = None) -> list[events_pb2.AttemptClosed]:
        found = await events(self.db, "examhall.exam.attempt.closed.v1", events_pb2.AttemptClosed)
        return [event for event in found if attempt is None or event.student_exam_id == str(attempt)]


def outcomes(result: SaveResult) -> list[str]:
    return [verdict.outcome for verdict in result.verdicts]
