"""Two markers at one queue."""

import secrets
from typing import Any

import httpx
import pytest

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json
from tests.harness.system import System


@pytest.fixture
async def waiting(admin: Admin, students: Class, bank: Bank) -> tuple[str, list[Json]]:
    """An exam with an essay that three students wrote: its id, and the queue's items."""
    exam_id = await admin.exam(bank[1])
    for number, student in enumerate(await students(3)):
        attempt = await student.start(exam_id)
        essay = next(one["id"] for one in attempt["questions"] if one["type"] == "text")
        await student.submit(attempt, [{"question_id": essay, "answer": f"Essay {number}."}])
        await student.graded(attempt)
    found = await admin.ok("GET", "/admin/grading/queue", params={"exam_id": exam_id})
    assert (found["total"], len(found["items"])) == (3, 3)
    return exam_id, found["items"]


def path_of(item: Json) -> str:
    return f"/admin/grading/{item['student_exam_id']}/{item['question_id']}"


async def test_two_markers(system: System, admin: Admin, waiting: tuple[str, list[Json]]) -> None:
    exam_id, items = waiting
    password = secrets.token_urlsafe(16)
    account = {"email": f"m{secrets.token_hex(4)}@example.com", "name": "Marker", "role": "admin"}
    await admin.ok("POST", "/admin/users", json=account | {"password": password})
    async with httpx.AsyncClient(base_url=system.url, timeout=30) as line:
        second = Admin(line)
        await second.login(account["email"], password)
        first = path_of(items[0])
        held = await admin.ok("POST", f"{first}/claim")
        refusal = await second.fails(409, "claimed", "PUT", first, json={"score": 1})
        assert (refusal["claimed_by"], refusal["claimed_until"][:19]) == (
            admin.user["id"],
            held["claimed_until"][:19],
        )
        taken = await second.ok("POST", "/admin/grading/claims", json={"exam_id": exam_id, "limit": 3})
        assert {path_of(item) for item in taken["items"]} == {path_of(item) for item in items[1:]}
        marked = await admin.ok("PUT", first, json={"score": 3, "comment": "Good.", "expected_version": 0})
        (essay,) = (one for one in marked["results"] if one["question_id"] == items[0]["question_id"])
        assert (essay["score"], essay["version"], essay["marked_by"]) == (3, 1, admin.user["id"])
        stale = await second.fails(
            409, "stale_version", "PUT", first, json={"score": 1, "expected_version": 0}
        )
        assert (stale["current"]["score"], stale["current"]["comment"]) == (3, "Good.")
        await second.ok("DELETE", f"{path_of(items[1])}/claim")
        body: dict[str, Any] = {"marks": [bulk(items[1], 2), bulk(items[2], 2), bulk(items[0], 99)]}
        done = await admin.ok("PUT", "/admin/grading/bulk", json=body)
        assert [one["student_exam_id"] for one in done["marked"]] == [items[1]["student_exam_id"]]
        assert [one["code"] for one in done["rejected"]] == ["claimed", "invalid"]
    rest = await admin.ok(
        "GET",
        "/admin/grading/queue",
        params={"exam_id": exam_id, "group_by": "question", "anonymous": "true"},
    )
    (left,) = rest["items"]
    assert (rest["total"], left["student_name"], left["claimed_by_name"]) == (1, None, "Marker")


def bulk(item: Json, score: float) -> Json:
    return {"student_exam_id": item["student_exam_id"], "question_id": item["question_id"], "score": score}


async def test_criteria_are_for_staff(admin: Admin, students: Class, waiting: tuple[str, list[Json]]) -> None:
    (student,) = await students(1)
    mine = next(item for item in waiting[1] if item["student_id"] == student.user["id"])
    mark = {"score": 2.5, "comment": "Well.", "criteria": [{"name": "Gravity pulls", "points": 2.5}]}
    await admin.ok("PUT", path_of(mine), json=mark)
    wrong = mark | {"score": 2}
    problem = await admin.fails(422, "invalid", "PUT", path_of(mine), json=wrong)
    assert problem["errors"][0]["loc"] == ["body", "criteria"]
    whole = await admin.ok("GET", f"/admin/attempts/{mine['student_exam_id']}/result")
    assert mark["criteria"] in [one["criteria"] for one in whole["results"]]
    result = await student.call("GET", f"/student/results/{mine['student_exam_id']}")
    assert "Well." in result.text
    assert "Gravity pulls" not in result.text
