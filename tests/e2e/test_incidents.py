"""An incident through HTTP: looked at first, done for a room, taken back."""

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, soon


async def test_a_room_is_given_its_time_back(admin: Admin, students: Class, bank: Bank) -> None:
    inside, outside = await students(2)
    exam_id = await admin.exam(bank[1])
    attempts: list[Json] = [await one.start(exam_id) for one in (inside, outside)]
    essay = next(one["id"] for one in attempts[0]["questions"] if one["type"] == "text")
    path = f"/admin/exams/{exam_id}/incidents"
    person = f"/admin/users/{inside.user['id']}"
    groups = inside.user["groups"]
    await admin.ok("PATCH", person, json={"groups": [*groups, f"room {exam_id}"]})
    body = {
        "action": "add_minutes",
        "minutes": 12,
        "scope": {"group": f"room {exam_id}"},
        "reason": "The network was down.",
    }

    preview = await admin.ok("POST", path, json=body | {"dry_run": True})

    assert (preview["count"], preview["students"][0]["email"]) == (1, inside.user["email"])
    assert (await admin.ok("GET", path))["items"] == []
    response = await admin.call("POST", path, json=body)
    made = response.json()
    assert (response.status_code, made["status"], made["total"], made["done"]) == (201, "finished", 1, 1)
    assert (made["created_by"], made["scope"]) == (admin.user["id"], body["scope"])
    await inside.login(inside.user["email"], "demo-student-password")
    saved = await inside.save(attempts[0], essay, "On I go.")
    assert saved["deadline_version"] == attempts[0]["deadline_version"] + 1
    assert saved["time_remaining_seconds"] > 3600 + 11 * 60
    assert (await outside.save(attempts[1], essay, "x"))["deadline"] == attempts[1]["deadline"]

    undone = await admin.ok("POST", f"{path}/{made['id']}/undo", json={"reason": "The wrong room."})

    assert (undone["minutes"], undone["done"], undone["undo_of"]) == (-12, 1, made["id"])
    assert (await inside.save(attempts[0], essay, "y"))["deadline"] == attempts[0]["deadline"]
    listed = (await admin.ok("GET", path))["items"]
    assert [(one["id"], one["undone_by"]) for one in listed] == [
        (undone["id"], None),
        (made["id"], undone["id"]),
    ]
    again = {"reason": "Again."}
    await admin.fails(409, "incident_undone", "POST", f"{path}/{made['id']}/undo", json=again)
    await admin.fails(404, "not_found", "POST", f"{path}/{exam_id}/undo", json=again)
    await admin.ok("PATCH", person, json={"groups": groups})
    await inside.login(inside.user["email"], "demo-student-password")


async def test_what_an_incident_must_say(admin: Admin, bank: Bank) -> None:
    path = f"/admin/exams/{await admin.exam(bank[1])}/incidents"
    good: Json = {"action": "pause", "scope": {"exam": True}, "reason": "Fire alarm."}
    for wrong in (
        {"reason": " "},
        {"scope": {}},
        {"scope": {"exam": True, "group": "x"}},
        {"scope": {"silent_between": [soon(0)]}},
        {"scope": {"silent_between": [soon(0), soon(-60)]}},
        {"action": "add_minutes"},
        {"action": "stop"},
        {"minutes": 5},
    ):
        await admin.fails(422, "invalid", "POST", path, json=good | wrong)
    assert (await admin.ok("GET", path))["items"] == []
