"""Marking through HTTP: the queue with and without names, claims, marks with what was seen, many at once."""

import gateway_samples as samples
import pytest
from examkit.errors import conflict
from examprotos.grading.v1 import marking_pb2

PATH = "/api/v1/admin/grading"
ONE = f"{PATH}/{samples.ATTEMPT}/{samples.QUESTION}"


@pytest.fixture
def desk(fakes):
    fakes.answers |= samples.everything()
    return fakes


def named_ids(desk):
    return [list(call.request.ids) for call in desk.calls if call.method == "UserAdmin/BatchGetUsers"]


async def test_the_queue_as_it_is_asked_for(gateway, desk):
    wanted = {
        "exam_id": samples.EXAM,
        "question_id": samples.QUESTION,
        "group_by": "question",
        "free": "true",
    }
    body = (await gateway.admin.get(f"{PATH}/queue", params=wanted)).json()
    sent = desk.asked("Marking/ListQueue")
    assert (sent.exam_id, sent.question_id) == (samples.EXAM, samples.QUESTION)
    assert (sent.group_by, sent.free) == ("question", True)
    (item,) = body["items"]
    assert (item["student_name"], item["version"], item["order"]) == ("Ada", 2, 1)
    assert (item["claimed_by"], item["claimed_by_name"]) == (samples.STUDENT, "Ada")
    assert item["claimed_until"] == "2026-05-04T12:15:00Z"
    assert body["questions"] == [
        {"exam_id": samples.EXAM, "question_id": samples.QUESTION, "order": 1, "waiting": 1}
    ]
    assert (await gateway.admin.get(f"{PATH}/queue?group_by=mood")).status_code == 422


async def test_without_names(gateway, desk):
    marker = samples.JOB
    queue = desk.answers["Marking/ListQueue"]
    queue.items[0].claim.marker_id = marker
    for reply in (
        await gateway.admin.get(f"{PATH}/queue?anonymous=true"),
        await gateway.admin.post(f"{PATH}/claims?anonymous=true", json={}),
    ):
        (item,) = reply.json()["items"]
        assert (item["student_name"], item["student_email"]) == (None, None)
        assert "ada" not in reply.text.lower()
    body = (await gateway.admin.put(f"{ONE}?anonymous=true", json={"score": 1})).json()
    assert (body["student_name"], body["student_email"]) == (None, None)
    assert named_ids(desk) == [[marker], [marker]], "nobody's name is asked for but the marker's"


async def test_claims(gateway, desk):
    asked = {"exam_id": samples.EXAM, "group_by": "question", "limit": 7}
    body = (await gateway.admin.post(f"{PATH}/claims", json=asked)).json()
    assert (len(body["items"]), desk.asked("Marking/ClaimNext").limit) == (1, 7)
    assert (await gateway.admin.post(f"{PATH}/claims", json={"limit": 51})).status_code == 422
    reply = await gateway.admin.post(f"{ONE}/claim")
    assert reply.json() == {"claimed_by": samples.STUDENT, "claimed_until": "2026-05-04T12:15:00Z"}
    reply = await gateway.admin.delete(f"{ONE}/claim")
    assert (reply.status_code, reply.content) == (204, b"")
    desk.answers["Marking/ClaimAnswer"] = conflict("claimed", "Another has it.", claimed_by=samples.JOB)
    reply = await gateway.admin.post(f"{ONE}/claim")
    assert (reply.status_code, reply.json()["code"], reply.json()["claimed_by"]) == (
        409,
        "claimed",
        samples.JOB,
    )


async def test_a_mark_with_all_that_belongs_to_it(gateway, desk):
    criteria = [{"name": "Names the law", "points": 1.25}]
    mark = {"score": 1.25, "comment": "good", "criteria": criteria, "expected_version": 1}
    body = (await gateway.admin.put(ONE, json=mark)).json()
    sent = desk.asked("Marking/PutMark")
    assert (sent.expected_version, sent.criteria[0].points_hundredths) == (1, 125)
    assert (body["results"][0]["version"], body["results"][0]["criteria"]) == (2, criteria)
    await gateway.admin.put(ONE, json={"score": 1})
    assert not desk.asked("Marking/PutMark").HasField("expected_version")
    current = {"version": 3, "score": 1.0, "comment": "so so", "marked_by": samples.JOB}
    desk.answers["Marking/PutMark"] = conflict("stale_version", "Another came first.", current=current)
    reply = await gateway.admin.put(ONE, json=mark)
    assert (reply.status_code, reply.json()["code"], reply.json()["current"]) == (
        409,
        "stale_version",
        current,
    )


async def test_many_marks_each_with_its_verdict(gateway, desk):
    current = b'{"current": {"version": 3, "score": 1.0, "comment": "", "marked_by": null}}'
    verdicts = [
        marking_pb2.MarkVerdict(version=4),
        marking_pb2.MarkVerdict(code="stale_version", detail="Another came first.", extra_json=current),
        marking_pb2.MarkVerdict(code="not_found", detail="No such attempt."),
    ]
    desk.answers["Marking/PutMarks"] = marking_pb2.PutMarksResponse(verdicts=verdicts)
    one = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION}
    marks = [one | {"score": score, "comment": "c"} for score in (0, 1, 2.5)]
    body = (await gateway.admin.put(f"{PATH}/bulk", json={"marks": marks})).json()
    assert [mark.score_hundredths for mark in desk.asked("Marking/PutMarks").marks] == [0, 100, 250]
    assert body["marked"] == [one | {"version": 4}]
    assert [(item["code"], item["current"]) for item in body["rejected"]] == [
        ("stale_version", {"version": 3, "score": 1.0, "comment": "", "marked_by": None}),
        ("not_found", None),
    ]
    for bad in ([], [one], [one | {"score": 1.005}], marks * 67):
        assert (await gateway.admin.put(f"{PATH}/bulk", json={"marks": bad})).status_code == 422
