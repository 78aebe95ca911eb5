"""Staff extend, pause, void and reopen attempts, through HTTP: what students see, and the results."""

import uuid
from typing import Any

import pytest
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, Student, soon


async def act(admin: Admin, attempt: Json, what: str, **body: Any) -> Json:
    path = f"/admin/attempts/{attempt['student_exam_id']}/{what}"
    found: Json = await admin.ok("POST", path, json={"reason": "Fire alarm."} | body)
    return found


async def refused(admin: Admin, attempt: Json, what: str, code: str, **body: Any) -> Json:
    path = f"/admin/attempts/{attempt['student_exam_id']}/{what}"
    status = 422 if code == "invalid" else 409
    return await admin.fails(status, code, "POST", path, json={"reason": "Fire alarm."} | body)


async def save_fails(student: Student, attempt: Json, code: str) -> None:
    body = {"student_exam_id": attempt["student_exam_id"], "question_id": attempt["questions"][0]["id"]}
    await student.fails(409, code, "POST", "/student/save-answer", json=body | {"answer": None})


def essay_of(attempt: Json) -> str:
    found: str = next(one["id"] for one in attempt["questions"] if one["type"] == "text")
    return found


async def listed(admin: Admin, exam_id: str, attempt: Json) -> Json:
    items = await admin.pages(f"/admin/exams/{exam_id}/results")
    return next(one for one in items if one["student_exam_id"] == attempt["student_exam_id"])


async def test_more_time_reaches_the_next_ack(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    attempt = await student.start(await admin.exam(bank[1]))
    body = {"minutes": 15, "reason": "Fire alarm."}

    extended = await act(admin, attempt, "extend", minutes=15)

    assert extended["email"] == student.user["email"]
    assert (extended["status"], extended["granted_minutes"]) == ("in_progress", 15)
    saved = await student.save(attempt, essay_of(attempt), "On I go.")
    assert saved["deadline"] == extended["deadline"].replace("+00:00", "Z")
    assert saved["deadline_version"] == extended["deadline_version"] == attempt["deadline_version"] + 1
    assert saved["time_remaining_seconds"] > 3600 + 800
    (entry,) = await admin.pages(
        "/admin/audit", {"object_id": attempt["student_exam_id"], "action": "attempt.extended"}
    )
    assert (entry["reason"], entry["actor_id"]) == ("Fire alarm.", admin.user["id"])
    assert (entry["before"]["granted_minutes"], entry["after"]["granted_minutes"]) == (0, 15)
    await student.submit(attempt)
    problem = await refused(admin, attempt, "extend", "already_submitted", minutes=15)
    assert "Reopen" in problem["detail"]
    nobody = f"/admin/attempts/{uuid.uuid4()}/extend"
    await admin.fails(404, "not_found", "POST", nobody, json=body)


@pytest.mark.parametrize("what", ["extend", "pause", "resume", "void", "reopen"])
async def test_each_needs_its_reason(admin: Admin, students: Class, bank: Bank, what: str) -> None:
    (student,) = await students(1)
    attempt = await student.start(await admin.exam(bank[1]))
    path = f"/admin/attempts/{attempt['student_exam_id']}/{what}"
    more = {"minutes": 5} if what in ("extend", "reopen") else {}
    for body in (
        more,
        more | {"reason": ""},
        more | {"reason": "  "},
        more | {"reason": None},
        more | {"r": 1},
    ):
        await admin.fails(422, "invalid", "POST", path, json=body)
    if more:
        for minutes in (0, -1, 1.5, "5", 100_000, True):
            await admin.fails(422, "invalid", "POST", path, json={"minutes": minutes, "reason": "why"})
    await student.save(attempt, essay_of(attempt), "Nothing happened.")


async def test_a_paused_attempt_stands_still(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)

    paused = await act(admin, attempt, "pause")

    assert paused["status"] == "paused"
    await save_fails(student, attempt, "attempt_paused")
    await student.fails(409, "attempt_paused", "GET", f"/student/resume/{exam_id}")
    await student.fails(409, "attempt_paused", "POST", f"/student/submit/{attempt['student_exam_id']}")
    await refused(admin, attempt, "pause", "attempt_paused")
    await refused(admin, attempt, "reopen", "attempt_paused")
    resumed = await act(admin, attempt, "resume")
    assert resumed["deadline"] > paused["deadline"]
    assert resumed["time_remaining_seconds"] == pytest.approx(paused["time_remaining_seconds"], abs=0.5)
    await refused(admin, attempt, "resume", "attempt_in_progress")
    await student.save(attempt, essay_of(attempt), "On I go.")


async def test_a_void_attempt_has_no_result(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    attempt = await student.start(exam_id)
    await student.submit(attempt)
    await student.graded(attempt)
    path = f"/student/results/{attempt['student_exam_id']}"

    assert (await act(admin, attempt, "void"))["status"] == "void"

    await save_fails(student, attempt, "attempt_void")

    async def is_gone() -> bool:
        return (await student.call("GET", path)).status_code == 404

    await eventually(is_gone)
    mine = await student.ok("GET", "/student/results", params={"limit": 200})
    assert attempt["student_exam_id"] not in {one["student_exam_id"] for one in mine["items"]}
    found = await listed(admin, exam_id, attempt)
    assert (found["status"], found["total_score"], found["grading"]) == ("void", None, None)
    await refused(admin, attempt, "void", "attempt_void")
    # It took no attempt away.
    again = await student.start(exam_id)
    await refused(admin, attempt, "reopen", "already_started", minutes=5)
    await student.submit(again)
    await act(admin, attempt, "reopen")
    assert (await student.submit(attempt))["status"] == "submitted"


async def test_a_reopened_attempt_is_graded_anew(admin: Admin, students: Class, bank: Bank) -> None:
    authored, question_ids = bank
    (student,) = await students(1)
    exam_id = await admin.exam(question_ids)
    attempt = await student.start(exam_id)
    essay, wrong = essay_of(attempt), next(q for q in attempt["questions"] if q["type"] == "numeric")
    await student.save(attempt, essay, "An essay.")
    await student.save(attempt, wrong["id"], "-12345")
    first = await student.submit(attempt)
    mark = {"score": 2, "comment": "Fine."}
    await admin.ok("PUT", f"/admin/grading/{attempt['student_exam_id']}/{essay}", json=mark)

    reopened = await act(admin, attempt, "reopen")

    assert (reopened["status"], reopened["closed_at"]) == ("in_progress", None)
    resumed = await student.ok("GET", f"/student/resume/{exam_id}")
    assert resumed["saved_answers"][essay]["answer"] == "An essay."
    path = f"/student/results/{attempt['student_exam_id']}"

    async def is_gone() -> bool:
        return (await student.call("GET", path)).status_code == 404

    await eventually(is_gone)
    right = authored[wrong["text"]].right
    await student.save(attempt, wrong["id"], str(right))
    second = await student.submit(attempt)

    assert second["receipt"] != first["receipt"]
    assert {**await student.submit(attempt), "rejected": []} == {**second, "rejected": []}
    result = await student.graded(attempt)
    items = {one["question_id"]: one for one in result["results"]}
    assert (items[essay]["score"], items[essay]["comment"]) == (2, "Fine.")
    assert items[wrong["id"]]["is_correct"] is True
    assert result["total_score"] == first["total_score"] + 2 + wrong["points"]
    audit = await admin.pages("/admin/audit", {"object_id": attempt["student_exam_id"]})
    assert [one["action"] for one in audit if one["action"] == "attempt.reopened"]


async def test_an_attempt_is_explained(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    attempt = await student.start(await admin.exam(bank[1]))
    await act(admin, attempt, "extend", minutes=15)
    await student.submit(attempt)

    found = await admin.ok("GET", f"/admin/attempts/{attempt['student_exam_id']}")

    assert (found["status"], found["email"]) == ("submitted", student.user["email"])
    steps = found["deadline_explained"]
    assert [(step["rule"], step["seconds"]) for step in steps] == [
        ("start", 0),
        ("duration", 3600),
        ("exam_end", steps[2]["seconds"]),
        ("granted", 900),
    ]
    assert steps[-1]["at"] == found["deadline"]
    (done,) = found["history"]
    assert (done["action"], done["reason"], done["by"]) == ("extended", "Fire alarm.", admin.user["id"])
    assert done["after"]["granted_minutes"] == 15
    assert {"started", "deadline"} <= {one["what"] for one in found["timeline"]}
    await admin.fails(404, "not_found", "GET", f"/admin/attempts/{uuid.uuid4()}")


async def test_accommodations_from_a_list(admin: Admin, students: Class, bank: Bank) -> None:
    first, second = await students(2)
    exam_id = await admin.exam(bank[1], end_time=soon(7 * 3600))
    attempt = await first.start(exam_id)
    rows: list[Json] = [
        {"email": first.user["email"].upper(), "exam_id": exam_id, "extra_time_percent": 50},
        {"student_id": second.user["id"], "exam_id": exam_id, "extra_time_percent": 25},
        {"email": "nobody@example.com", "exam_id": exam_id, "extra_time_percent": 25},
        {"email": "admin@example.com", "extra_time_percent": 25},
        {"email": second.user["email"], "exam_id": str(uuid.uuid4()), "extra_time_percent": 25},
    ]

    told = await admin.ok("PUT", "/admin/accommodations", json=rows)

    assert (told["set_count"], told["failed_count"]) == (2, 3)
    assert [(one["row"], one["outcome"], one["code"]) for one in told["items"]] == [
        (1, "set", None),
        (2, "set", None),
        (3, "failed", "not_found"),
        (4, "failed", "not_found"),
        (5, "failed", "not_found"),
    ]
    saved = await first.save(attempt, essay_of(attempt), "x")
    assert saved["time_remaining_seconds"] > 3600 + 1700
    path = f"/admin/exams/{exam_id}/accommodations/{second.user['id']}"
    assert (await admin.ok("GET", path))["extra_time_percent"] == 25
    for wrong in ([], [{"extra_time_percent": 5}], [rows[0] | {"extra_time_percent": 401}], [rows[0], {}]):
        await admin.fails(422, "invalid", "PUT", "/admin/accommodations", json=wrong)


async def test_publishing_warns_of_windows_that_are_too_short(
    admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    made = await admin.ok(
        "POST",
        "/admin/exams",
        json={"title": "Short", "duration_minutes": 60, "start_time": soon(3600), "end_time": soon(3 * 3600)},
    )
    questions = [{"question_id": one} for one in bank[1]]
    await admin.ok("PUT", f"/admin/exams/{made['id']}/questions", json={"questions": questions})
    own = {"extra_time_percent": 100, "end_time": soon(2 * 3600)}
    path = f"/admin/exams/{made['id']}/accommodations/{student.user['id']}"
    await admin.ok("PUT", path, json=own)

    published = await admin.ok("POST", f"/admin/exams/{made['id']}/publish")

    assert published["status"] == "published"
    (warning,) = published["warnings"]
    assert (warning["code"], warning["email"]) == ("window_too_short", student.user["email"])
    assert warning["needed_minutes"] == 120
    assert warning["available_minutes"] == pytest.approx(60, abs=1)
