"""A student who writes without pause, and remembers what was acknowledged."""

import asyncio
import random
from dataclasses import dataclass, field

import httpx

from tests.harness.api import Json, Student


@dataclass
class Writer:
    """Saves texts to the essay and the short answers, one after the other, and remembers what was taken."""

    student: Student
    attempt: Json
    acknowledged: dict[str, tuple[int, str]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    revision: int = 0
    stopped: bool = False

    async def write(self) -> None:
        """Until `stopped`; called again it goes on."""
        questions = [one["id"] for one in self.attempt["questions"] if one["type"] in ("text", "short_text")]
        while not self.stopped:
            self.revision = revision = self.revision + 1
            question = random.Random(revision).choice(questions)
            status = await self._save(question, f"Draft {revision}", revision)
            self.statuses.append(status)
            if status == 200:
                self.acknowledged[question] = (revision, f"Draft {revision}")
            else:
                await asyncio.sleep(0.05)

    async def _save(self, question: str, answer: str, revision: int) -> int:
        body = {"student_exam_id": self.attempt["student_exam_id"], "question_id": question}
        try:
            response = await self.student.call(
                "POST", "/student/save-answer", json=body | {"answer": answer, "revision": revision}
            )
        except httpx.TransportError:
            return 0
        if response.status_code == 503:
            assert response.headers["retry-after"]
            assert response.json()["code"] == "unavailable"
        return response.status_code

    def newest(self) -> int:
        return max((revision for revision, _ in self.acknowledged.values()), default=0)

    async def finds_all_of_it(self) -> Json:
        """Resume: each acknowledged text is there, or a newer one of this writer's. The attempt."""
        resumed: Json = await self.student.ok("GET", f"/student/resume/{self.attempt['exam']['id']}")
        for question, (revision, _) in self.acknowledged.items():
            saved = resumed["saved_answers"][question]
            assert saved["revision"] >= revision
            assert saved["answer"] == f"Draft {saved['revision']}"
        return resumed
