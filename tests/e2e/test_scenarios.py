"""The five scenarios of an exam: normal, crash and resume, out of time, late saves, a class at once."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness import oracle
from tests.harness.api import Admin, Json, Student, soon
from tests.harness.system import System


async def answer_all(student: Student, attempt: Json, bank: Bank, chance: random.Random) -> dict[str, Any]:
    """Answer every question, some twice; the last answer to each."""
    authored, _ = bank
    given: dict[str, Any] = {}
    for question in attempt["questions"]:
        for _again in range(chance.choice((1, 1, 2))):
            answer = oracle.an_answer(question, authored[question["text"]], chance)
            saved = await student.save(attempt, question["id"], answer)
            assert (saved["success"], saved["outcome"]) == (True, "stored")
            given[question["id"]] = answer
    return given


async def test_a_normal_exam(admin: Admin, students: Class, bank: Bank) -> None:
    authored, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids, title="Physics")
    listed = {
        one["id"]: one for one in (await student.ok("GET", "/student/exams", params={"limit": 200}))["items"]
    }
    assert listed[exam_id]["my_status"] == "not_started"
    attempt = await student.start(exam_id)
    assert attempt["exam"]["title"] == "Physics"
    assert 3590 < attempt["time_remaining_seconds"] <= 3600
    assert sorted(one["order"] for one in attempt["questions"]) == list(range(1, len(question_ids) + 1))
    problem = await student.fails(409, "already_started", "POST", f"/student/start/{exam_id}")
    assert problem["student_exam_id"] == attempt["student_exam_id"]
    given = await answer_all(student, attempt, bank, random.Random(7))
    submitted = await student.submit(attempt)
    expected = oracle.score(attempt, authored, given)
    assert (submitted["total_score"], submitted["max_possible"], submitted["percentage"]) == expected
    essay = next(one for one in attempt["questions"] if one["type"] == "text")
    waiting = 1 if given[essay["id"]] else 0
    assert submitted["pending_count"] == waiting
    assert submitted["grading"] == ("pending" if waiting else "complete")
    again = await student.submit(attempt)
    assert {**again, "rejected": []} == {**submitted, "rejected": []}
    await student.fails(409, "attempt_limit", "POST", f"/student/start/{exam_id}")
    late = {"student_exam_id": attempt["student_exam_id"], "question_id": essay["id"], "answer": "late"}
    await student.fails(409, "already_submitted", "POST", "/student/save-answer", json=late)


async def test_an_essay_is_marked(admin: Admin, students: Class, bank: Bank) -> None:
    _, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids)
    attempt = await student.start(exam_id)
    essay = next(one for one in attempt["questions"] if one["type"] == "text")
    await student.save(attempt, essay["id"], "Things fall because the Earth pulls them.")
    submitted = await student.submit(attempt)
    assert (submitted["total_score"], submitted["pending_count"]) == (0, 1)
    queue = await admin.pages("/admin/grading/queue", {"exam_id": exam_id})
    assert [(one["student_exam_id"], one["question_id"]) for one in queue] == [
        (attempt["student_exam_id"], essay["id"])
    ]
    path = f"/admin/grading/{attempt['student_exam_id']}/{essay['id']}"
    await admin.fails(422, "invalid", "PUT", path, json={"score": 4.01, "comment": "Too much."})
    await admin.ok("PUT", path, json={"score": 3.5, "comment": "Nearly."})
    result = await student.graded(attempt)
    assert (result["total_score"], result["pending_count"], result["grading"]) == (3.5, 0, "complete")
    item = next(one for one in result["results"] if one["question_id"] == essay["id"])
    assert (item["score"], item["comment"], item["status"]) == (3.5, "Nearly.", "graded")


@pytest.mark.usefixtures("healing")
async def test_crash_and_resume(system: System, admin: Admin, students: Class, bank: Bank) -> None:
    _, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids, duration_minutes=30)
    attempt = await student.start(exam_id)
    given = await answer_all(student, attempt, bank, random.Random(11))
    for name in ("exam", "gateway"):
        before = system.kill(name)
        await eventually(lambda: system.pid(name) != before, timeout=60)  # noqa: B023
    await eventually(lambda: ready(student), timeout=60)
    resumed = await student.ok("GET", f"/student/resume/{exam_id}")
    assert resumed["student_exam_id"] == attempt["student_exam_id"]
    assert resumed["questions"] == attempt["questions"]
    assert {key: one["answer"] for key, one in resumed["saved_answers"].items()} == given
    assert resumed["deadline"] == attempt["deadline"]
    deadline = datetime.fromisoformat(attempt["deadline"])
    server_time = datetime.fromisoformat(resumed["server_time"])
    assert abs((deadline - server_time).total_seconds() - resumed["time_remaining_seconds"]) < 0.1
    assert abs((server_time - datetime.now(UTC)).total_seconds()) < 5


async def ready(student: Student) -> bool:
    try:
        return (await student.http.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def test_time_runs_out(admin: Admin, students: Class, bank: Bank) -> None:
    authored, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids, end_time=soon(4), grace_seconds=1)
    attempt = await student.start(exam_id)
    question = next(one for one in attempt["questions"] if one["type"] == "true_false")
    right = "true" if authored[question["text"]].right else "false"
    await student.save(attempt, question["id"], right)

    async def over() -> bool:
        body = {"student_exam_id": attempt["student_exam_id"], "question_id": question["id"], "answer": right}
        return (await student.call("POST", "/student/save-answer", json=body)).status_code == 400

    await eventually(over, timeout=20)
    problem = await student.fails(410, "time_limit_exceeded", "GET", f"/student/resume/{exam_id}")
    assert problem["student_exam_id"] == attempt["student_exam_id"]
    result = await student.graded(attempt)
    assert (result["status"], result["total_score"]) == ("expired", 1)
    submitted = await student.submit(attempt, [{"question_id": question["id"], "answer": "true"}])
    assert submitted["status"] == "expired"
    assert [one["code"] for one in submitted["rejected"]] == ["time_limit_exceeded"] or [
        one["code"] for one in submitted["rejected"]
    ] == ["already_submitted"]


async def test_a_submit_within_grace_counts(admin: Admin, students: Class, bank: Bank) -> None:
    authored, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids, end_time=soon(2), grace_seconds=60)
    attempt = await student.start(exam_id)
    question = next(one for one in attempt["questions"] if one["type"] == "true_false")
    right = "true" if authored[question["text"]].right else "false"
    body = {"student_exam_id": attempt["student_exam_id"], "question_id": question["id"], "answer": right}

    async def over() -> bool:
        return (await student.call("POST", "/student/save-answer", json=body)).status_code == 400

    await eventually(over, timeout=20)
    submitted = await student.submit(attempt, [{"question_id": question["id"], "answer": right}])
    assert (submitted["status"], submitted["rejected"], submitted["total_score"]) == ("submitted", [], 1)


async def test_late_and_disordered_saves_bring_no_old_answer_back(
    admin: Admin, students: Class, bank: Bank
) -> None:
    authored, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids)
    attempt = await student.start(exam_id)
    question = next(one for one in attempt["questions"] if one["type"] == "short_text")
    texts = [f"draft {number}" for number in range(1, 9)] + [authored[question["text"]].right[0]]
    sends = [(revision, text) for revision, text in enumerate(texts, start=1)] * 2
    random.Random(3).shuffle(sends)
    newest = -1
    for revision, text in sends:
        body = await student.save(attempt, question["id"], text, revision=revision)
        expected = "stored" if revision > newest else "repeat" if revision == newest else "superseded"
        assert body["outcome"] == expected
        if expected == "superseded":
            assert body["current"]["revision"] == newest
        newest = max(newest, revision)
    save = {"student_exam_id": attempt["student_exam_id"], "question_id": question["id"]}
    conflict = save | {"answer": "another", "revision": newest}
    problem = await student.fails(409, "conflict", "POST", "/student/save-answer", json=conflict)
    assert problem["current"]["answer"] == texts[-1]
    assert (await student.submit(attempt))["total_score"] == 1


async def test_one_bad_answer_never_costs_the_good_ones(admin: Admin, students: Class, bank: Bank) -> None:
    _, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids)
    attempt = await student.start(exam_id)
    by_type = {one["type"]: one["id"] for one in attempt["questions"]}
    answers = [
        {"question_id": by_type["true_false"], "answer": "true", "revision": 1},
        {"question_id": by_type["single_choice"], "answer": "Z", "revision": 1},
        {"question_id": by_type["numeric"], "answer": "42", "revision": 1},
        {"question_id": exam_id, "answer": "x", "revision": 1},
    ]
    body = {"student_exam_id": attempt["student_exam_id"], "answers": answers}
    saved = await student.ok("POST", "/student/save-answers", json=body)
    assert [one["outcome"] for one in saved["saved"]] == ["stored", "stored"]
    assert {one["question_id"] for one in saved["rejected"]} == {by_type["single_choice"], exam_id}


async def test_extra_time_reaches_a_running_attempt(admin: Admin, students: Class, bank: Bank) -> None:
    _, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids, duration_minutes=40)
    attempt = await student.start(exam_id)
    question = next(one for one in attempt["questions"] if one["type"] == "true_false")
    path = f"/admin/exams/{exam_id}/accommodations/{student.user['id']}"
    await admin.ok("PUT", path, json={"extra_time_percent": 50})
    saved = await student.save(attempt, question["id"], "true")
    assert saved["deadline_version"] > attempt["deadline_version"]
    before, after = (datetime.fromisoformat(one["deadline"]) for one in (attempt, saved))
    assert (after - before).total_seconds() == 20 * 60
    await admin.ok("DELETE", path)


async def test_a_class_starts_saves_and_submits_together(admin: Admin, students: Class, bank: Bank) -> None:
    authored, question_ids = bank
    everybody = await students(100)
    exam_id = await admin.exam(question_ids, title="The whole class")
    for student in everybody:
        student.seconds.clear()

    async def sit(number: int, student: Student) -> tuple[Json, dict[str, Any], Json]:
        attempt = await student.start(exam_id)
        given = await answer_all(student, attempt, bank, random.Random(number))
        return attempt, given, await student.submit(attempt)

    sittings = await asyncio.gather(*(sit(number, one) for number, one in enumerate(everybody)))
    for student, (attempt, given, submitted) in zip(everybody, sittings, strict=True):
        result = await student.graded(attempt)
        expected = oracle.score(attempt, authored, given)
        assert (result["total_score"], result["max_possible"], result["percentage"]) == expected
        assert submitted["status"] == "submitted"
    seen = await admin.pages(f"/admin/exams/{exam_id}/results")
    assert len(seen) == 100
    seconds = sorted(second for student in everybody for second in student.seconds)
    mean = 1000 * sum(seconds) / len(seconds)
    p50, p95, p99 = (1000 * seconds[int(len(seconds) * share)] for share in (0.5, 0.95, 0.99))
    print(f"\n{len(seconds)} requests: mean {mean:.0f} ms, p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f}")


async def test_orders_and_letters_differ_between_students(admin: Admin, students: Class, bank: Bank) -> None:
    _, question_ids = bank
    everybody = await students(8)
    exam_id = await admin.exam(question_ids, shuffle_questions=True)
    attempts = [await student.start(exam_id) for student in everybody]
    assert len({tuple(one["id"] for one in attempt["questions"]) for attempt in attempts}) > 1
    letters = {
        tuple(option["text"] for option in one["options"])
        for attempt in attempts
        for one in attempt["questions"]
        if "fish" in one["text"]
    }
    assert len(letters) > 1
    for attempt in attempts:
        for one in attempt["questions"]:
            assert [option["id"] for option in one["options"]] == list("ABCD")[: len(one["options"])]
