"""What comes twice, late or out of order, from a client or by RabbitMQ, makes no difference."""

import asyncio
import random
import uuid

from examkit.testing.waiting import eventually
from examprotos.exam.v1 import events_pb2

from tests.conftest import Bank, Class
from tests.harness.api import Admin
from tests.harness.events import about, heard, publish
from tests.harness.system import System

CLOSED = "examhall.exam.attempt.closed.v1"
GRADED = "examhall.grading.attempt.graded.v1"


async def test_saves_that_come_twice_and_out_of_order_end_with_the_newest(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)
    questions = [one["id"] for one in attempt["questions"] if one["type"] == "short_text"]
    sends = [(question, revision) for question in questions for revision in range(1, 16)] * 2
    random.Random(5).shuffle(sends)

    async def send(question: str, revision: int) -> str:
        saved = await student.save(attempt, question, f"Draft {revision}", revision=revision)
        outcome: str = saved["outcome"]
        return outcome

    outcomes = await asyncio.gather(*(send(*one) for one in sends))
    assert set(outcomes) <= {"stored", "repeat", "superseded"}
    saved = (await student.ok("GET", f"/student/resume/{exam_id}"))["saved_answers"]
    assert {question: saved[question]["answer"] for question in questions} == dict.fromkeys(
        questions, "Draft 15"
    )


async def test_starts_and_submits_that_come_twice_at_once_are_one(
    admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    starts = await asyncio.gather(*(student.call("POST", f"/student/start/{exam_id}") for _ in range(5)))
    assert sorted(one.status_code for one in starts) == [201, 409, 409, 409, 409]
    assert len({one.json()["student_exam_id"] for one in starts}) == 1
    attempt = next(one.json() for one in starts if one.status_code == 201)
    submits = await asyncio.gather(*(student.submit(attempt) for _ in range(5)))
    assert len({(one["status"], one["submitted_at"], str(one["receipt"])) for one in submits}) == 1


async def test_a_save_that_comes_after_the_submit_changes_nothing(
    admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)
    question = next(one["id"] for one in attempt["questions"] if one["type"] == "true_false")
    await student.save(attempt, question, "true", revision=5)
    await student.submit(attempt)
    graded = await student.graded(attempt)
    late = {"student_exam_id": attempt["student_exam_id"], "question_id": question, "revision": 9}
    for answer in ("true", "false"):
        body = late | {"answer": answer}
        await student.fails(409, "already_submitted", "POST", "/student/save-answer", json=body)
    assert await student.graded(attempt) == graded


async def test_a_closed_attempt_that_is_announced_again_keeps_its_grade(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    async with heard(system, CLOSED) as closed, heard(system, GRADED) as graded:
        attempt = await student.start(exam_id)
        attempt_id = attempt["student_exam_id"]
        question = next(one["id"] for one in attempt["questions"] if one["type"] == "true_false")
        await student.save(attempt, question, "true")
        await student.submit(attempt)
        result = await student.graded(attempt)
        await eventually(lambda: about(closed, attempt_id) and about(graded, attempt_id))
        (event,) = about(closed, attempt_id)
        # The same event, delivered again.
        await publish(system, event, event.delivery.body, event.delivery.id)
        # One from before, that was overtaken: other answers, a lower version.
        older = events_pb2.AttemptClosed.FromString(event.delivery.body)
        older.attempt_version -= 1
        del older.answers[:]
        await publish(system, event, older.SerializeToString(), str(uuid.uuid4()))
        # The same news once more, as the reconciler sends it: who asks again is told again.
        await publish(system, event, event.delivery.body, str(uuid.uuid4()))
        await eventually(lambda: len(about(graded, attempt_id)) == 3)
    assert await student.graded(attempt) == result
    assert await shown_to_staff(admin, exam_id) == [(attempt_id, result["total_score"])]


async def shown_to_staff(admin: Admin, exam_id: str) -> list[tuple[str, float]]:
    results = await admin.pages(f"/admin/exams/{exam_id}/results")
    return [(one["student_exam_id"], one["total_score"]) for one in results]
