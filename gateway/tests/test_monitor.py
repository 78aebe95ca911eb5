"""Watching an exam: a snapshot, then what changes; read once for all who watch."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import gateway_samples as samples
import pytest
from exam_gateway.staff import watching
from examkit.errors import not_found, unavailable
from examkit.testing import eventually
from examprotos.auth.v1 import user_admin_pb2, users_pb2
from examprotos.exam.v1 import exams_pb2, invigilation_pb2

PATH = f"/api/v1/admin/exams/{samples.EXAM}/monitor"
ATTEMPTS = [f"01890a5d-ac96-774b-bcce-b30209900{n:03}" for n in range(3)]


class Hall:
    """An exam that a test changes: rows by attempt, as exam gives them."""

    def __init__(self) -> None:
        self.rows: dict[str, invigilation_pb2.Progress] = {}

    def sits(self, place: int, **changes) -> None:
        one = invigilation_pb2.Progress(
            student_exam_id=ATTEMPTS[place],
            student_id=ATTEMPTS[place].replace("-b3", "-b4"),
            attempt_no=1,
            **({"status": "in_progress", "answered": 1, "total_questions": 4} | changes),
        )
        for name in ("started_at", "last_activity", "deadline"):
            getattr(one, name).FromDatetime(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.rows[one.student_exam_id] = one

    def list(self, request):
        found = invigilation_pb2.ListProgressResponse(items=self.rows.values())
        found.server_time.FromDatetime(datetime(2026, 3, 2, 8, 30, tzinfo=UTC))
        return found


@pytest.fixture
def hall(fakes, monkeypatch) -> Hall:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watching, "LINGER_SECONDS", 0.0)
    made = Hall()
    made.sits(0)
    made.sits(1, status="submitted", flags={"paste": 2}, answered=4)
    fakes.answers["Invigilation/ListProgress"] = made.list
    fakes.answers["Authoring/GetExam"] = exams_pb2.Exam(id=samples.EXAM, roster=exams_pb2.Roster(all=True))
    fakes.answers["UserAdmin/CountStudents"] = user_admin_pb2.CountStudentsResponse(count=7)
    fakes.answers["UserAdmin/BatchGetUsers"] = lambda request: user_admin_pb2.BatchGetUsersResponse(
        items=[users_pb2.User(id=one, name=f"Name {one[-1]}", email=f"{one[-1]}@x") for one in request.ids]
    )
    return made


@contextlib.asynccontextmanager
async def watch(gateway) -> AsyncIterator[AsyncIterator[tuple[str, dict]]]:
    async with gateway.admin.stream("GET", f"{PATH}/stream") as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")

        async def events():
            name = ""
            async for line in reply.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

        yield events()


async def nobody_watches() -> None:
    await eventually(lambda: not any("Watch._run" in repr(task) for task in asyncio.all_tasks()))


async def test_a_snapshot(gateway, hall):
    body = (await gateway.admin.get(PATH)).json()
    assert body["counts"] == {
        "roster": 7,
        "not_started": 5,
        "in_progress": 1,
        "paused": 0,
        "submitted": 1,
        "expired": 0,
        "void": 0,
        "flagged": 1,
        "quiet": 0,
    }
    first, second = body["students"]
    assert (first["name"], first["email"], first["answered"]) == ("Name 0", "0@x", 1)
    assert (first["time_remaining_seconds"], second["time_remaining_seconds"]) == (1800, 0)
    assert (second["flags"], second["status"]) == ({"paste": 2}, "submitted")
    for query, names in (
        ("status=submitted", ["Name 1"]),
        ("quiet=true", []),
        ("q=NAME 0", ["Name 0"]),
        ("q=1@", ["Name 1"]),
    ):
        found = (await gateway.admin.get(f"{PATH}?{query}")).json()
        assert [one["name"] for one in found["students"]] == names
    await nobody_watches()


async def test_what_changes_is_told_and_nothing_else(gateway, hall):
    async with watch(gateway) as events:
        name, body = await anext(events)
        assert (name, len(body["students"])) == ("snapshot", 2)
        hall.sits(0, answered=3)
        hall.sits(2, quiet=True)
        name, body = await anext(events)
        changed = {one["student_exam_id"]: one for one in body["students"]}
        while len(changed) < 2:
            changed |= {one["student_exam_id"]: one for one in (await anext(events))[1]["students"]}
        assert name == "changes"
        assert changed.keys() == {ATTEMPTS[0], ATTEMPTS[2]}
        assert (changed[ATTEMPTS[0]]["answered"], changed[ATTEMPTS[2]]["name"]) == (3, "Name 2")
    await nobody_watches()


async def test_who_watch_together_are_told_by_one_look(gateway, hall, fakes):
    async with contextlib.AsyncExitStack() as stack:
        watching_it = [await stack.enter_async_context(watch(gateway)) for _ in range(5)]
        for events in watching_it:
            assert (await anext(events))[0] == "snapshot"
        assert sum("Watch._run" in repr(task) for task in asyncio.all_tasks()) == 1
        hall.sits(1, status="void")
        for events in watching_it:
            name, body = await anext(events)
            assert (name, body["counts"]["void"]) == ("changes", 1)
    counted = [call for call in fakes.calls if call.method == "UserAdmin/CountStudents"]
    assert len(counted) <= 2
    await nobody_watches()


async def test_while_exam_is_away_the_stream_goes_on(gateway, hall, fakes):
    async with watch(gateway) as events:
        await anext(events)
        fakes.answers["Invigilation/ListProgress"] = unavailable("away")
        hall.sits(0, answered=2)
        before = len(fakes.calls)
        await eventually(lambda: len(fakes.calls) > before + 1)
        fakes.answers["Invigilation/ListProgress"] = hall.list
        assert (await anext(events))[1]["students"][0]["answered"] == 2
    await nobody_watches()


async def test_who_is_not_counted_and_what_is_not_there(gateway, hall, fakes):
    fakes.answers["UserAdmin/CountStudents"] = unavailable("away")
    names = fakes.answers.pop("UserAdmin/BatchGetUsers")
    fakes.answers["UserAdmin/BatchGetUsers"] = unavailable("away")
    async with watch(gateway) as events:
        body = (await anext(events))[1]
        assert (body["counts"]["roster"], body["counts"]["not_started"]) == (None, None)
        assert [one["name"] for one in body["students"]] == [None, None]
        fakes.answers["UserAdmin/BatchGetUsers"] = names
        assert {one["name"] for one in (await anext(events))[1]["students"]} == {"Name 0", "Name 1"}
    await nobody_watches()
    fakes.answers["Authoring/GetExam"] = not_found("There is no such exam.")
    for path in (PATH, f"{PATH}/stream"):
        reply = await gateway.admin.get(path)
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    await nobody_watches()


async def test_a_slow_watcher_is_told_the_newest_and_holds_no_more(hall):
    watcher = watching.Watcher("token")
    for _ in range(1000):
        watcher.tell(ATTEMPTS)
    assert await watcher.news() == set(ATTEMPTS)
    assert (watcher.new, watcher.woken.is_set()) == (set(), False)
