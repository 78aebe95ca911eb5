"""Who may do what: no token, a wrong role, somebody else's attempt."""

import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Caller

NOBODY = str(uuid.uuid4())


def operations(document: dict[str, Any], part: str) -> list[tuple[str, str]]:
    """Every (method, path) of the OpenAPI below a part of the API, its parameters filled with a UUID."""
    found = []
    for path, methods in document["paths"].items():
        if path.startswith(f"/api/v1/{part}"):
            place = path.removeprefix("/api/v1")
            while "{" in place:
                start, end = place.index("{"), place.index("}")
                place = place[:start] + NOBODY + place[end + 1 :]
            found += [(method.upper(), place) for method in methods if method != "parameters"]
    return found


@pytest.fixture(scope="module")
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get("/api/v1/openapi.json")).json()
    return found


async def test_without_a_token_there_is_nothing(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    stranger = Caller(http)
    for part in ("student", "admin"):
        every = operations(document, part)
        assert len(every) > 8
        for method, path in every:
            await stranger.fails(401, "unauthenticated", method, path)
    await stranger.fails(401, "unauthenticated", "GET", f"/files/{NOBODY}")


async def test_roles_do_not_mix(admin: Admin, students: Class, document: dict[str, Any]) -> None:
    (student,) = await students(1)
    for part, caller in (("admin", student), ("student", admin)):
        for method, path in operations(document, part):
            await caller.fails(403, "forbidden", method, path)


async def test_another_students_attempt_does_not_exist(admin: Admin, students: Class, bank: Bank) -> None:
    owner, thief = await students(2)
    exam_id = await admin.exam(bank[1])
    attempt = await owner.start(exam_id)
    attempt_id, question_id = attempt["student_exam_id"], attempt["questions"][0]["id"]
    one = {"question_id": question_id, "answer": None}
    event = {"kind": "copy", "at": attempt["server_time"]}
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/student/save-answer", {"student_exam_id": attempt_id, **one}),
        ("POST", "/student/save-answers", {"student_exam_id": attempt_id, "answers": [one]}),
        ("POST", "/student/submit", {"student_exam_id": attempt_id}),
        ("POST", f"/student/submit/{attempt_id}", None),
        ("POST", "/student/events", {"student_exam_id": attempt_id, "events": [event]}),
        ("GET", f"/student/results/{attempt_id}", None),
    ]
    for method, path, body in calls:
        await thief.fails(404, "not_found", method, path, json=body)
    await owner.submit(attempt)
    for method, path, body in calls:
        await thief.fails(404, "not_found", method, path, json=body)


async def test_an_exam_that_is_not_mine_does_not_exist(admin: Admin, students: Class, bank: Bank) -> None:
    mine, other = await students(2)
    exam_id = await admin.exam(bank[1], roster={"student_ids": [mine.user["id"]], "groups": []})
    draft = await admin.ok("POST", "/admin/exams", json={"title": "Draft", "duration_minutes": 5})
    for one in (exam_id, draft["id"], NOBODY):
        await other.fails(404, "not_found", "POST", f"/student/start/{one}")
        await other.fails(404, "not_found", "GET", f"/student/resume/{one}")
    listed = (await other.ok("GET", "/student/exams", params={"limit": 200}))["items"]
    assert not {exam_id, draft["id"]} & {one["id"] for one in listed}
    await mine.start(exam_id)


async def test_a_token_ends_with_its_session(system: Any, students: Class) -> None:
    async with httpx.AsyncClient(base_url=system.url) as client:
        leaving = Caller(client)
        await leaving.login("student099@example.com", "demo-student-password")
        await leaving.ok("GET", "/student/exams")
        await leaving.ok("POST", "/auth/logout")
        await leaving.fails(401, "unauthenticated", "GET", "/auth/me")


async def test_a_token_that_was_tampered_with_is_nobodys(http: httpx.AsyncClient, admin: Admin) -> None:
    head, body, signature = admin.token.split(".")
    for token in (f"{head}.{body}.{signature[:-6]}AAAAAA", f"{head}.{body}.", "x", "a.b.c"):
        await Caller(http, token).fails(401, "unauthenticated", "GET", "/admin/exams")
