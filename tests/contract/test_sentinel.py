"""A key that is planted is looked for in all that a student gets, in every event and in every log.

On the happy way, in every refusal that a student can provoke, and in what is said when something dies.
"""

import json
import secrets
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from examkit.bundles import Carried
from examkit.testing.waiting import eventually

from tests.conftest import Class
from tests.harness.api import Admin, Json, Student, soon
from tests.harness.events import about, heard
from tests.harness.system import System
from tests.harness.workbooks import xlsx

GRADED = "examhall.grading.attempt.graded.v1"
Passed = list[Carried]


class Eavesdropper:
    """A student's line on which every answer, its headers too, is kept."""

    def __init__(self, student: Student) -> None:
        self._student = student
        self.texts: list[str] = []
        self.statuses: set[int] = set()

    async def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response | None:
        try:
            response = await self._student.call(method, path, **kwargs)
        except httpx.TransportError:
            return None
        self.texts.append(f"{response.headers} {response.text}")
        self.statuses.add(response.status_code)
        return response

    async def body(self, method: str, path: str, **kwargs: Any) -> Json:
        response = await self.call(method, path, **kwargs)
        assert response is not None
        body: Json = response.json()
        return body

    async def graded(self, attempt: Json) -> None:
        await self._student.graded(attempt, 120)


@pytest.fixture
async def passed(system: System, healing: None) -> AsyncIterator[Passed]:
    """Every event while the test runs."""
    async with heard(system) as events:
        yield events


@pytest.fixture
async def student(students: Class) -> Eavesdropper:
    return Eavesdropper((await students(1))[0])


async def test_a_planted_key_is_found_nowhere(
    system: System, admin: Admin, student: Eavesdropper, passed: Passed
) -> None:
    sentinel, exam_id = await exam_with_sentinel(admin, reveal="answers")
    await student.body("GET", "/student/exams")
    attempt = await student.body("POST", f"/student/start/{exam_id}")
    for question in attempt["questions"]:
        body = {"student_exam_id": attempt["student_exam_id"], "question_id": question["id"]}
        await student.body("POST", "/student/save-answer", json=body | {"answer": "A"})
    await student.body("GET", f"/student/resume/{exam_id}")
    await hand_in(student, attempt)
    for path in ("/admin/questions", f"/admin/exams/{exam_id}", "/admin/grading/queue"):
        await student.body("GET", path)
    await regraded(admin, exam_id, attempt, sentinel)
    result = await student.body("GET", f"/student/results/{attempt['student_exam_id']}")
    assert [change["policy"] for change in result["changes"]] == ["rekey", "exclude"]
    await eventually(lambda: kinds_about(passed, attempt["student_exam_id"]) >= {"closed", "graded"})
    nowhere(sentinel, system, student, passed)


async def test_no_refusal_tells_a_key(
    system: System, admin: Admin, student: Eavesdropper, passed: Passed
) -> None:
    sentinel, exam_id = await exam_with_sentinel(admin, reveal="answers")
    _, later = await exam_with_sentinel(admin, sentinel=sentinel, start_time=soon(3000))
    await student.body("GET", f"/student/resume/{exam_id}")
    await student.body("POST", f"/student/start/{later}")
    attempt = await student.body("POST", f"/student/start/{exam_id}")
    attempt_id = attempt["student_exam_id"]
    await student.body("POST", f"/student/start/{exam_id}")
    await student.body("GET", f"/student/results/{attempt_id}")
    for question in attempt["questions"]:
        one = {"student_exam_id": attempt_id, "question_id": question["id"]}
        for bad in bad_answers():
            await student.body("POST", "/student/save-answer", json=one | {"answer": bad})
            many = {"student_exam_id": attempt_id, "answers": [one["question_id"], one | {"answer": bad}]}
            await student.body("POST", "/student/save-answers", json=many)
        for answer in ("A", "B"):
            # The second contradicts the first, or is refused with it.
            await student.body("POST", "/student/save-answer", json=one | {"answer": answer, "revision": 7})
        await student.body("POST", "/student/save-answer", json=one | {"answer": "A", "revision": 1})
    await malformed(student, attempt_id)
    await hand_in(student, attempt)
    for question in attempt["questions"]:
        one = {"student_exam_id": attempt_id, "question_id": question["id"], "answer": "B", "revision": 9}
        await student.body("POST", "/student/save-answer", json=one)
    late = {"student_exam_id": attempt_id, "answers": [{"question_id": question["id"], "answer": "B"}]}
    await student.body("POST", "/student/submit", json=late)
    await student.body("POST", f"/student/start/{exam_id}")
    assert student.statuses >= {200, 201, 403, 404, 409, 413, 415, 422}
    nowhere(sentinel, system, student, passed)


@pytest.mark.parametrize("name", ["postgres", "grading", "exam"])
async def test_no_fault_tells_a_key(
    system: System, admin: Admin, student: Eavesdropper, passed: Passed, name: str
) -> None:
    sentinel, exam_id = await exam_with_sentinel(admin)
    attempt = await student.body("POST", f"/student/start/{exam_id}")
    attempt_id = attempt["student_exam_id"]
    question = attempt["questions"][0]["id"]
    before = system.kill(name)
    one = {"student_exam_id": attempt_id, "question_id": question, "answer": "A"}

    async def is_back() -> bool:
        await student.call("POST", "/student/save-answer", json=one)
        await student.call("GET", f"/student/resume/{exam_id}")
        await student.call("GET", f"/student/results/{attempt_id}")
        return system.pid(name) != before and not system.not_ready()

    await eventually(is_back, timeout=90)

    async def is_submitted() -> bool:
        response = await student.call("POST", "/student/submit", json={"student_exam_id": attempt_id})
        return response is not None and response.status_code == 200

    await eventually(is_submitted, timeout=60)
    # It dies once more, with the attempt on its way to a grade.
    system.kill(name)
    await student.call("GET", f"/student/results/{attempt_id}")
    await student.graded(attempt)
    await student.body("GET", f"/student/results/{attempt_id}")
    nowhere(sentinel, system, student, passed)


def nowhere(sentinel: str, system: System, student: Eavesdropper, passed: Passed) -> None:
    assert student.texts
    assert not [text for text in student.texts if sentinel in text]
    assert passed
    assert not [one for one in passed if sentinel in f"{one.alone.body!r} {one.alone.headers}"]
    assert sentinel not in system.logs(lines=100_000)


def kinds_about(passed: Passed, attempt_id: str) -> set[str]:
    return {event.delivery.type.split(".")[-2] for event in about(passed, attempt_id)}


async def hand_in(student: Eavesdropper, attempt: Json) -> None:
    """Submit, and look at the result in every way."""
    await student.body("POST", "/student/submit", json={"student_exam_id": attempt["student_exam_id"]})
    await student.graded(attempt)
    await student.body("GET", f"/student/results/{attempt['student_exam_id']}")
    await student.body("GET", "/student/results")


async def regraded(admin: Admin, exam_id: str, attempt: Json, sentinel: str) -> None:
    """Another key with the sentinel in it, by which this student's answer is right, and an exclusion."""
    one, two = (attempt["questions"][place]["id"] for place in places(attempt, "one", "two"))
    key = {"accepted": ["A", sentinel], "case_sensitive": False}
    for asked in (
        {"question_id": one, "policy": "rekey", "key": key},
        {"question_id": two, "policy": "exclude"},
    ):
        await admin.ok("POST", f"/admin/exams/{exam_id}/regrade", json=asked)


def places(attempt: Json, *endings: str) -> list[int]:
    texts = [question["text"] for question in attempt["questions"]]
    return [next(place for place, text in enumerate(texts) if text.endswith(end)) for end in endings]


def bad_answers() -> list[Any]:
    return ["Z", "", ["A", "A"], ["Z"], {"right": "?"}, 7, True, "x" * 70_000, "a\0b", ["A"] * 50]


async def malformed(student: Eavesdropper, attempt_id: str) -> None:
    """What is no request at all, or for something that isn't there."""
    nobody = str(uuid.uuid4())
    for path in ("/student/save-answer", "/student/save-answers", "/student/submit", "/student/events"):
        for content in (b"{", b"[]", b'{"student_exam_id": 1}', json.dumps({"student_exam_id": nobody})):
            await student.call("POST", path, content=content, headers={"content-type": "application/json"})
        await student.call("POST", path, content=b"x=1", headers={"content-type": "text/plain"})
    huge = json.dumps({"student_exam_id": attempt_id, "answers": ["x" * 1000] * 30_000})
    await student.call(
        "POST", "/student/save-answers", content=huge, headers={"content-type": "application/json"}
    )
    for path in (f"/student/resume/{nobody}", f"/student/results/{nobody}", "/student/results/x"):
        await student.call("GET", path)
    event = {"kind": "peeked", "at": "yesterday"}
    await student.call("POST", "/student/events", json={"student_exam_id": attempt_id, "events": [event]})


async def exam_with_sentinel(admin: Admin, sentinel: str = "", **settings: Any) -> tuple[str, str]:
    """A published exam with keys and explanations that hold the sentinel."""
    sentinel = sentinel or f"sentinel{secrets.token_hex(8)}"
    mark = f"Planted {secrets.token_hex(4)}"
    rows = [
        {
            "type": "short_text",
            "question": f"{mark} one",
            "correct": f"{sentinel}|word",
            "explanation": f"Because {sentinel}.",
        },
        {"type": "text", "question": f"{mark} two", "explanation": f"Guidance {sentinel}."},
        {
            "type": "single_choice",
            "question": f"{mark} three",
            "option_a": "Yes",
            "option_b": "No",
            "correct": "B",
            "explanation": f"No, since {sentinel}.",
        },
    ]
    await admin.import_file("planted.xlsx", xlsx(rows), "questions")
    questions = await admin.bank(q=mark)
    assert sentinel in json.dumps(questions), "staff sees the keys"
    return sentinel, await admin.exam([one["id"] for one in questions], **settings)
