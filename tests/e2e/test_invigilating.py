"""Watching an exam through HTTP: the snapshot and the stream; and cloning it."""

import asyncio
import json
from typing import Any

import httpx

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Caller, Json
from tests.harness.system import System

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def by_attempt(body: Json) -> dict[str, Json]:
    return {one["student_exam_id"]: one for one in body["students"]}


async def test_the_monitor_shows_who_sits(admin: Admin, students: Class, bank: Bank) -> None:
    first, second, third = await students(3)
    ids = [one.user["id"] for one in (first, second, third)]
    exam_id = await admin.exam(bank[1], roster={"student_ids": ids, "groups": []})
    path = f"/admin/exams/{exam_id}/monitor"
    empty = await admin.ok("GET", path)
    assert (empty["students"], empty["counts"]["roster"], empty["counts"]["not_started"]) == ([], 3, 3)
    sits, done = await first.start(exam_id), await second.start(exam_id)
    essay = next(one["id"] for one in sits["questions"] if one["type"] == "text")
    saved = await first.save(sits, essay, "Here I am.")
    event = {"kind": "tab_hidden", "at": sits["server_time"]}
    await first.ok(
        "POST", "/student/events", json={"student_exam_id": sits["student_exam_id"], "events": [event]}
    )
    await second.submit(done)

    async def seen() -> tuple[Json, dict[str, Json]]:
        body = await admin.ok("GET", path)
        return body, by_attempt(body)

    body, shown = await seen()
    while (
        len(shown) < 2
        or shown[done["student_exam_id"]]["status"] != "submitted"
        or not shown[sits["student_exam_id"]]["flags"]
        or not shown[sits["student_exam_id"]]["name"]  # null while auth is too busy to say it
    ):
        await asyncio.sleep(0.2)
        body, shown = await seen()
    one = shown[sits["student_exam_id"]]
    assert (one["email"], one["name"]) == (first.user["email"], first.user["name"])
    assert (one["status"], one["answered"], one["total_questions"]) == ("in_progress", 1, len(bank[1]))
    assert one["last_save_at"] == saved["saved_at"]
    assert (one["flags"], one["quiet"], one["resumes"]) == ({"tab_hidden": 1}, False, 0)
    assert 3500 < one["time_remaining_seconds"] <= 3600
    counts = body["counts"]
    assert (counts["roster"], counts["not_started"], counts["in_progress"]) == (3, 1, 1)
    assert (counts["submitted"], counts["flagged"]) == (1, 1)
    narrowed = await admin.ok("GET", path, params={"status": "submitted", "q": second.user["email"]})
    assert list(by_attempt(narrowed)) == [done["student_exam_id"]]
    await admin.fails(404, "not_found", "GET", f"/admin/exams/{NOBODY}/monitor")
    await admin.fails(404, "not_found", "GET", f"/admin/exams/{NOBODY}/monitor/stream")
    await admin.fails(422, "invalid", "GET", path, params={"status": "asleep"})


async def test_the_stream_tells_what_changes(
    system: System, admin: Admin, students: Class, bank: Bank
) -> None:
    (student,) = await students(1)
    exam_id = await admin.exam(bank[1])
    async with httpx.AsyncClient(base_url=system.url, timeout=30) as client:
        watcher = Caller(client)
        await watcher.login("admin@example.com", "demo-admin-password")
        request = client.stream(
            "GET",
            f"/api/v1/admin/exams/{exam_id}/monitor/stream",
            headers={"authorization": f"Bearer {watcher.token}"},
        )
        async with request as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            told = events(reply)
            name, body = await anext(told)
            assert (name, body["students"]) == ("snapshot", [])
            attempt = await student.start(exam_id)
            name, body = await anext(told)
            assert (name, list(by_attempt(body))) == ("changes", [attempt["student_exam_id"]])
            assert body["counts"]["in_progress"] == 1
            path = f"/admin/attempts/{attempt['student_exam_id']}/pause"
            await admin.ok("POST", path, json={"reason": "Fire alarm."})
            while (await anext(told))[1]["counts"]["paused"] == 0:
                pass
            # Who is logged out sees no more.
            await watcher.ok("POST", "/auth/logout")
            async for name, body in told:
                if name == "problem":
                    assert body["status"] == 401
                    break
            else:
                raise AssertionError("the stream ended without saying why")


async def events(reply: httpx.Response) -> Any:
    name = ""
    async for line in reply.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_an_exam_is_cloned(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    roster = {"student_ids": [student.user["id"]], "groups": ["class-a"]}
    exam_id = await admin.exam(
        bank[1], title="Physics", roster=roster, result_policy="manual", access_code="x"
    )
    await student.ok("POST", f"/student/start/{exam_id}", json={"access_code": "x"})

    response = await admin.call("POST", f"/admin/exams/{exam_id}/clone")

    assert response.status_code == 201, response.text
    made, model = response.json(), await admin.ok("GET", f"/admin/exams/{exam_id}")
    assert (made["title"], made["status"], made["attempt_count"]) == ("Physics (copy)", "draft", 0)
    assert made["access_code"] is None
    for same in ("questions", "roster", "scoring", "duration_minutes", "end_time"):
        assert made[same] == model[same], same
    await student.fails(404, "not_found", "POST", f"/student/start/{made['id']}")
    await admin.ok("POST", f"/admin/exams/{made['id']}/publish")
    await student.start(made["id"])
    await admin.fails(404, "not_found", "POST", f"/admin/exams/{NOBODY}/clone")
