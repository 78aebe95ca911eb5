"""A key that is planted is looked for in all that a student gets, in every event and in every log."""

import asyncio
import json
import secrets

import aio_pika
from examkit.testing.waiting import eventually

from tests.conftest import Class
from tests.harness.api import Admin, Json, Student
from tests.harness.system import System
from tests.harness.workbooks import xlsx


async def test_a_planted_key_is_found_nowhere(system: System, admin: Admin, students: Class) -> None:
    sentinel = f"sentinel{secrets.token_hex(8)}"
    (student,) = await students(1)
    events: list[bytes] = []
    connection = await aio_pika.connect(system.state()["rabbitmq"]["url"])
    async with connection, connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("examhall.events", "#")

        async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            events.append(message.body + repr(message.headers).encode())

        await queue.consume(keep, no_ack=True)
        exam_id = await _exam_with(admin, sentinel)
        seen = await _everything_a_student_gets(student, exam_id)
        await eventually(lambda: any(exam_id.encode() in event for event in events))
        await asyncio.sleep(1)
    assert exam_id in seen
    assert sentinel not in seen
    assert not [event for event in events if sentinel.encode() in event]
    assert sentinel not in system.logs(lines=100_000)


async def _exam_with(admin: Admin, sentinel: str) -> str:
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
    return await admin.exam([one["id"] for one in questions], reveal="answers")


async def _everything_a_student_gets(student: Student, exam_id: str) -> str:
    texts = []

    async def get(method: str, path: str, **kwargs: object) -> Json:
        response = await student.call(method, path, **kwargs)
        texts.append(f"{response.headers} {response.text}")
        body: Json = response.json()
        return body

    await get("GET", "/student/exams")
    attempt = await get("POST", f"/student/start/{exam_id}")
    for question in attempt["questions"]:
        body = {"student_exam_id": attempt["student_exam_id"], "question_id": question["id"]}
        await get("POST", "/student/save-answer", json=body | {"answer": "A"})
        await get("POST", "/student/save-answer", json=body | {"answer": "word", "revision": 0})
    await get("GET", f"/student/resume/{exam_id}")
    await get("POST", "/student/submit", json={"student_exam_id": attempt["student_exam_id"]})
    await student.graded(attempt)
    await get("GET", f"/student/results/{attempt['student_exam_id']}")
    await get("GET", "/student/results")
    for path in ("/admin/questions", f"/admin/exams/{exam_id}", "/admin/grading/queue"):
        await get("GET", path)
    return "\n".join(texts)
