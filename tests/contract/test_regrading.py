"""Regrades from the admin's desk to the student's page: dry run, another key, exclusion, and back."""

import uuid
from typing import Any

import pytest

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, Student

FISH, BIRD = "Which one is a fish?", "Which one is a bird?"


def letter_of(question: Json, text: str) -> str:
    """An option by its text: students see their own letters, staff the authored ones."""
    letter: str = next(one["id"] for one in question["options"] if one["text"] == text)
    return letter


async def sat(student: Student, exam_id: str, text: str) -> Json:
    """An attempt that is graded, with this answer to the first question."""
    attempt = await student.start(exam_id)
    question = next(one for one in attempt["questions"] if FISH in one["text"])
    answers = [{"question_id": question["id"], "answer": letter_of(question, text)}]
    await student.submit(attempt, answers)
    await student.graded(attempt)
    return attempt


@pytest.fixture
async def pair(admin: Admin, bank: Bank) -> tuple[Json, Json]:
    """Two questions as the bank has them: which is a fish (2 points, trout), which is a bird (1 point)."""
    questions = [await admin.ok("GET", f"/admin/questions/{one}") for one in bank[1]]
    fish, bird = (next(one for one in questions if text in one["text"]) for text in (FISH, BIRD))
    return fish, bird


def rekey(question: Json, text: str) -> Json:
    key = {"correct": [letter_of(question, text)]}
    return {"question_id": question["id"], "policy": "rekey", "key": key, "reason": "It says whale."}


async def shares(admin: Admin, exam_id: str) -> dict[str, Any]:
    items = await admin.pages(f"/admin/exams/{exam_id}/results")
    return {one["student_exam_id"]: (one["total_score"], one["max_possible"]) for one in items}


async def test_another_key(admin: Admin, students: Class, pair: tuple[Json, Json]) -> None:
    right, wrong, late = await students(3)
    fish, bird = pair
    exam_id = await admin.exam([fish["id"], bird["id"]])
    loser, winner = await sat(right, exam_id, "Trout"), await sat(wrong, exam_id, "Whale")
    path, body = f"/admin/exams/{exam_id}/regrade", rekey(fish, "Whale")
    before = await shares(admin, exam_id)
    dry = await admin.ok("POST", path, params={"dry_run": "true"}, json=body)
    told = {one["student_exam_id"]: one for one in dry["students"]}
    assert told[loser["student_exam_id"]]["before"] == {"score": 2, "max_possible": 3, "percentage": 66.67}
    assert told[loser["student_exam_id"]]["after"] == {"score": 0, "max_possible": 3, "percentage": 0}
    assert told[winner["student_exam_id"]]["email"] == wrong.user["email"]
    assert (dry["changed"], dry["raised"], dry["lowered"], dry["id"]) == (2, 1, 1, None)
    assert await shares(admin, exam_id) == before
    assert (await admin.ok("GET", f"/admin/exams/{exam_id}/regrades"))["items"] == []

    done = await admin.ok("POST", path, json=body)
    assert (done["complete"], done["changed"], done["key"]) == (True, 2, body["key"])
    assert (done["bank_differs"], done["bank_version"]) == (True, fish["version"])
    assert await shares(admin, exam_id) == {
        loser["student_exam_id"]: (0, 3),
        winner["student_exam_id"]: (2, 3),
    }
    result = await wrong.ok("GET", f"/student/results/{winner['student_exam_id']}")
    (change,) = result["changes"]
    assert change["at"] == done["at"]
    assert {name: change[name] for name in change if name != "at"} == {
        "question_id": fish["id"],
        "policy": "rekey",
        "reason": "It says whale.",
        "score_before": 0,
        "score_after": 2,
    }
    item = next(one for one in result["results"] if one["question_id"] == fish["id"])
    assert (item["is_correct"], item["correct_answer"]) == (True, None)
    after = await sat(late, exam_id, "Whale")
    assert (await late.graded(after))["total_score"] == 2
    assert (await late.graded(after))["changes"] == []
    trail = await admin.ok(
        "GET", "/admin/audit", params={"object_id": winner["student_exam_id"], "limit": 50}
    )
    assert "attempt.regraded" in {entry["action"] for entry in trail["items"]}

    back = f"/admin/exams/{exam_id}/regrades/{done['id']}/rollback"
    await admin.fails(422, "invalid", "POST", back, json={})
    undone = await admin.ok("POST", back, json={"reason": "It was trout."})
    assert (undone["policy"], undone["changed"]) == ("rollback", 3)
    await admin.fails(409, "already_rolled_back", "POST", back, json={"reason": "Again."})
    await admin.fails(
        409,
        "not_a_regrade",
        "POST",
        f"/admin/exams/{exam_id}/regrades/{undone['id']}/rollback",
        json={"reason": "x"},
    )
    assert (await shares(admin, exam_id))[loser["student_exam_id"]] == (2, 3)
    listed = (await admin.ok("GET", f"/admin/exams/{exam_id}/regrades"))["items"]
    assert [(one["policy"], one["rolled_back_by"]) for one in listed] == [
        ("rollback", None),
        ("rekey", undone["id"]),
    ]


async def test_a_question_that_does_not_count_and_one_for_all(
    admin: Admin, students: Class, pair: tuple[Json, Json]
) -> None:
    (student,) = await students(1)
    fish, bird = pair
    exam_id = await admin.exam([fish["id"], bird["id"]])
    attempt = await sat(student, exam_id, "Whale")
    path = f"/admin/exams/{exam_id}/regrade"
    await admin.ok("POST", path, json={"question_id": bird["id"], "policy": "exclude"})
    assert await shares(admin, exam_id) == {attempt["student_exam_id"]: (0, 2)}
    await admin.ok("POST", path, json={"question_id": fish["id"], "policy": "full_marks"})
    result = await student.graded(attempt)
    assert (result["total_score"], result["max_possible"], result["percentage"]) == (2, 2, 100)
    assert {one["question_id"]: one["status"] for one in result["results"]} == {
        fish["id"]: "graded",
        bird["id"]: "excluded",
    }


async def test_what_can_not_be_regraded(admin: Admin, pair: tuple[Json, Json]) -> None:
    fish, bird = pair
    exam_id = await admin.exam([fish["id"]])
    draft = await admin.ok("POST", "/admin/exams", json={"title": "Draft", "duration_minutes": 5})
    exclude = {"question_id": fish["id"], "policy": "exclude"}
    await admin.fails(409, "not_published", "POST", f"/admin/exams/{draft['id']}/regrade", json=exclude)
    await admin.fails(404, "not_found", "POST", f"/admin/exams/{uuid.uuid4()}/regrade", json=exclude)
    path = f"/admin/exams/{exam_id}/regrade"
    other = {"question_id": bird["id"], "policy": "exclude"}
    await admin.fails(404, "not_found", "POST", path, json=other)
    for wrong in (
        {"policy": "rekey"},
        {"policy": "rekey", "key": {"correct": ["Z"]}},
        {"policy": "rekey", "key": {"correct": True}},
        {"policy": "exclude", "key": {"correct": ["A"]}},
        {"policy": "forgive"},
    ):
        for dry_run in ("true", "false"):
            asked = {"question_id": fish["id"]} | wrong
            await admin.fails(422, "invalid", "POST", path, params={"dry_run": dry_run}, json=asked)
