"""Regrades through HTTP: exam says what is published, grading decides, auth names, the bank is compared."""

import gateway_samples as samples
import pytest
from examkit.errors import FieldError, conflict, invalid, not_found
from examprotos.exam.v1 import exams_pb2
from examprotos.grading.v1 import regrading_pb2

PATH = f"/api/v1/admin/exams/{samples.EXAM}"
REKEY = {
    "question_id": samples.QUESTION,
    "policy": "rekey",
    "key": {"value": 9.8, "tolerance": 0.1},
    "reason": "Rounding.",
}


@pytest.fixture
def desk(fakes):
    fakes.answers |= samples.everything()
    return fakes


async def test_a_regrade_is_told_with_names_and_the_bank(gateway, desk):
    reply = await gateway.admin.post(f"{PATH}/regrade", json=REKEY)
    assert reply.status_code == 200, reply.text
    sent = desk.asked("Regrading/Regrade")
    assert (sent.exam_id, sent.question_id, sent.policy) == (samples.EXAM, samples.QUESTION, "rekey")
    assert (sent.key.numeric.value, sent.key.numeric.tolerance, sent.reason) == ("9.8", "0.1", "Rounding.")
    body = reply.json()
    assert body["students"] == [
        {
            "student_exam_id": samples.ATTEMPT,
            "student_id": samples.STUDENT,
            "attempt_no": 1,
            "name": "Ada",
            "email": "ada@example.com",
            "before": {"score": 0, "max_possible": 3, "percentage": 0},
            "after": {"score": 1.5, "max_possible": 3, "percentage": 50},
        }
    ]
    assert (body["changed"], body["raised"], body["lowered"], body["dry_run"]) == (1, 1, 0, False)
    assert (body["key"], body["by_name"]) == ({"value": 9.8, "tolerance": 0.1}, "Ada")
    assert (body["bank_differs"], body["bank_version"]) == (True, 1)
    assert not [call for call in desk.calls if call.method == "Regrading/PreviewRegrade"]


async def test_a_dry_run_asks_for_the_preview_alone(gateway, desk):
    report = samples.regrade_report()
    report.regrade.id = ""
    desk.answers["Regrading/PreviewRegrade"] = report
    body = {"question_id": samples.QUESTION, "policy": "exclude"}
    reply = await gateway.admin.post(f"{PATH}/regrade?dry_run=true", json=body)
    assert (reply.status_code, reply.json()["dry_run"], reply.json()["id"]) == (200, True, None)
    assert not desk.asked("Regrading/PreviewRegrade").HasField("key")
    assert not [call for call in desk.calls if call.method == "Regrading/Regrade"]


async def test_the_bank_as_the_new_key_and_out_of_reach(gateway, desk):
    same = samples.keys()
    same.items[0].key.numeric.value, same.items[0].key.numeric.tolerance = "9.80", "0.1"
    desk.answers["AnswerKeys/GetKeys"] = same
    body = (await gateway.admin.post(f"{PATH}/regrade", json=REKEY)).json()
    assert (body["bank_differs"], body["bank_version"]) == (False, 1)
    desk.answers["Authoring/GetQuestion"] = not_found("Gone.")
    body = (await gateway.admin.post(f"{PATH}/regrade", json=REKEY)).json()
    assert (body["bank_differs"], body["bank_version"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"policy": "forgive"}, ["body", "policy"]),
        ({"policy": "rollback"}, ["body", "policy"]),
        ({"question_id": "x"}, ["body", "question_id"]),
        ({"key": {"correct": []}}, ["body", "key"]),
        ({"key": "B"}, ["body", "key"]),
        ({"key": {"accepted": []}}, ["body", "key"]),
        ({"key": {"value": "much"}}, ["body", "key"]),
        ({"reason": "x" * 2_001}, ["body", "reason"]),
        ({"forgive": True}, ["body", "forgive"]),
    ],
)
async def test_what_is_no_regrade(gateway, desk, change, loc):
    reply = await gateway.admin.post(f"{PATH}/regrade", json=REKEY | change)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert reply.json()["errors"][0]["loc"][: len(loc)] == loc
    assert not [call for call in desk.calls if call.service == "grading"]


async def test_refusals_come_through(gateway, desk):
    desk.answers["Regrading/Regrade"] = invalid("No.", FieldError(("key",), "There is no option E."))
    reply = await gateway.admin.post(f"{PATH}/regrade", json=REKEY | {"key": {"correct": ["E"]}})
    assert reply.json()["errors"] == [{"loc": ["body", "key"], "msg": "There is no option E."}]
    desk.answers["Authoring/GetExam"] = samples.exam(exams_pb2.EXAM_STATUS_DRAFT)
    reply = await gateway.admin.post(f"{PATH}/regrade", json=REKEY)
    assert (reply.status_code, reply.json()["code"]) == (409, "not_published")
    desk.answers["Authoring/GetExam"] = not_found("There is no such exam.")
    for method, path in (("POST", "regrade"), ("GET", "regrades")):
        reply = await gateway.admin.request(method, f"{PATH}/{path}", json=REKEY)
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


async def test_rolling_back_wants_a_reason(gateway, desk):
    path = f"{PATH}/regrades/{samples.JOB}/rollback"
    for body in ({}, {"reason": ""}, {"reason": "  "}):
        assert (await gateway.admin.post(path, json=body)).status_code == 422
    assert (await gateway.admin.post(path, json={"reason": "A slip."})).status_code == 200
    assert desk.asked("Regrading/RollBack") == regrading_pb2.RollBackRequest(
        exam_id=samples.EXAM, regrade_id=samples.JOB, reason="A slip."
    )
    desk.answers["Regrading/RollBack"] = conflict("already_rolled_back", "It was.")
    reply = await gateway.admin.post(path, json={"reason": "A slip."})
    assert (reply.status_code, reply.json()["code"]) == (409, "already_rolled_back")


async def test_the_list_and_one_of_it(gateway, desk):
    listed = (await gateway.admin.get(f"{PATH}/regrades")).json()
    assert [(one["id"], one["policy"], one["by_name"]) for one in listed["items"]] == [
        (samples.JOB, "rekey", "Ada")
    ]
    one = (await gateway.admin.get(f"{PATH}/regrades/{samples.JOB}")).json()
    assert (one["id"], len(one["students"])) == (samples.JOB, 1)


async def test_students_see_what_changed(gateway, desk):
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    assert body["changes"] == [
        {
            "question_id": samples.QUESTION,
            "policy": "rekey",
            "reason": "B is right.",
            "at": "2026-05-04T12:40:00Z",
            "score_before": None,
            "score_after": 1.25,
        }
    ]
    desk.answers["Results/GetMyResult"] = samples.result(released=False)
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    assert body["changes"] == []
