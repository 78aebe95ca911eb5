"""The student surface: shapes and statuses as the contract has them."""

import uuid

import gateway_samples as samples
from exam_gateway.student import shapes
from examkit.errors import conflict, forbidden, gone, not_found, unavailable
from examprotos.exam.v1 import attempts_pb2
from examprotos.grading.v1 import results_pb2

SUBMIT = "/api/v1/student/submit"


def as_documented(shape, reply):
    """What the model in the OpenAPI makes of an answer that was written without it."""
    return shape.model_validate_json(reply.content, strict=False).model_dump(mode="json")


async def test_my_exams(gateway, fakes):
    fakes.answers["Attempts/ListMyExams"] = attempts_pb2.ListMyExamsResponse(
        items=[samples.my_exam()], next_cursor="abc"
    )
    reply = await gateway.student.get("/api/v1/student/exams", params={"limit": 1000})
    assert reply.status_code == 200
    assert reply.json()["next_cursor"] == "abc"
    item = reply.json()["items"][0]
    assert item["my_status"] == "not_started"
    assert item["start_time"] == "2026-05-04T12:00:00Z"
    assert (item["end_time"], item["student_exam_id"], item["time_remaining_seconds"]) == (None, None, None)
    assert item["max_possible"] == 2.5
    assert fakes.asked("Attempts/ListMyExams").limit == 200
    assert fakes.calls[-1].caller == "gateway-student"


async def test_start_gives_the_attempt(gateway, fakes):
    fakes.answers["Attempts/Start"] = samples.attempt()
    reply = await gateway.student.post(
        f"/api/v1/student/start/{samples.EXAM}", json={"access_code": "room-7"}
    )
    assert reply.status_code == 201
    body = reply.json()
    assert as_documented(shapes.Attempt, reply) == body
    assert fakes.asked("Attempts/Start").access_code == "room-7"
    assert body["exam"] == {
        "id": samples.EXAM,
        "title": "Biology",
        "instructions": "Go",
        "duration_minutes": 60,
        "question_count": 1,
        "max_possible": 2.5,
    }
    assert body["questions"][0]["options"][1] == {"id": "B", "text": "that"}
    assert (body["deadline_version"], body["grace_seconds"], body["time_remaining_seconds"]) == (
        2,
        30,
        3480.5,
    )
    saved = body["saved_answers"][samples.QUESTION]
    assert saved == {"answer": "B", "revision": 7, "saved_at": "2026-05-04T12:01:00.123456Z"}
    assert reply.headers["cache-control"] == "no-store"


async def test_start_takes_no_body(gateway, fakes):
    fakes.answers["Attempts/Start"] = samples.attempt()
    assert (await gateway.student.post(f"/api/v1/student/start/{samples.EXAM}")).status_code == 201


async def test_errors_keep_code_and_further_members(gateway, fakes):
    path = f"/api/v1/student/start/{samples.EXAM}"
    fakes.answers["Attempts/Start"] = conflict("already_started", "It runs.", student_exam_id=samples.ATTEMPT)
    reply = await gateway.student.post(path)
    assert reply.status_code == 409
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["code"] == "already_started"
    assert problem["student_exam_id"] == samples.ATTEMPT
    assert problem["status"] == 409
    assert {"type", "title", "detail", "trace_id"} <= problem.keys()

    fakes.answers["Attempts/Start"] = forbidden(
        "Not yet.", "exam_not_open", start_time="2026-05-04T12:00:00Z"
    )
    reply = await gateway.student.post(path)
    assert (reply.status_code, reply.json()["start_time"]) == (403, "2026-05-04T12:00:00Z")

    fakes.answers["Attempts/Resume"] = gone("time_limit_exceeded", "Over.", student_exam_id=samples.ATTEMPT)
    reply = await gateway.student.get(f"/api/v1/student/resume/{samples.EXAM}")
    assert (reply.status_code, reply.json()["code"]) == (410, "time_limit_exceeded")


async def test_what_goes_wrong_inside_stays_inside(gateway, fakes):
    fakes.answers["Attempts/Resume"] = RuntimeError("SELECT secret FROM table")
    reply = await gateway.student.get(f"/api/v1/student/resume/{samples.EXAM}")
    assert (reply.status_code, reply.json()["code"]) == (500, "internal")
    assert "secret" not in reply.text


async def test_a_service_that_talks_nonsense(gateway, fakes):
    nonsense = attempts_pb2.AttemptQuestion(id="nonsense-7", type=77)
    fakes.answers["Attempts/Start"] = attempts_pb2.Attempt(questions=[nonsense])
    reply = await gateway.student.post(f"/api/v1/student/start/{samples.EXAM}")
    assert (reply.status_code, reply.json()["code"]) == (500, "internal")
    assert "nonsense" not in reply.text
    assert reply.headers["x-request-id"]
    fakes.answers["Attempts/SaveBatch"] = attempts_pb2.SaveBatchResponse()
    body = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION, "answer": "B"}
    reply = await gateway.student.post("/api/v1/student/save-answer", json=body)
    assert (reply.status_code, reply.json()["code"]) == (500, "internal")


async def test_events(gateway, fakes):
    fakes.answers["Attempts/RecordEvents"] = attempts_pb2.RecordEventsResponse()
    event = {"kind": "paste", "at": "2026-05-04T14:00:00.5+02:00", "detail": {"length": 12}}
    body = {"student_exam_id": samples.ATTEMPT, "events": [event]}
    assert (await gateway.student.post("/api/v1/student/events", json=body)).status_code == 202
    sent = fakes.asked("Attempts/RecordEvents").events[0]
    assert (sent.kind, sent.at.ToJsonString(), sent.detail_json) == (
        "paste",
        "2026-05-04T12:00:00.500Z",
        b'{"length":12}',
    )
    for wrong in ({"kind": "sneeze"}, {"at": 5}, {"at": "2026-05-04"}, {"detail": {"x": "y" * 3000}}):
        body["events"] = [event | wrong]
        assert (await gateway.student.post("/api/v1/student/events", json=body)).status_code == 422


async def test_submit_with_its_grade(gateway, fakes):
    late = samples.verdict("rejected", code="time_limit_exceeded", detail="Too late.")
    fakes.answers["Attempts/Submit"] = samples.closed(rejected=[late])
    fakes.answers["Results/Await"] = samples.result()
    answers = [
        {"question_id": samples.QUESTION, "answer": ["A", "C"], "revision": 2},
        {"question_id": "q1", "answer": "B"},
    ]
    reply = await gateway.student.post(SUBMIT, json={"student_exam_id": samples.ATTEMPT, "answers": answers})
    assert reply.status_code == 200
    body = reply.json()
    assert shapes.Submitted.model_validate_json(reply.content).success is body["success"] is True
    assert (body["status"], body["submitted_at"]) == ("submitted", "2026-05-04T12:30:00Z")
    assert (body["total_score"], body["max_possible"], body["percentage"]) == (1.25, 2.5, 50.0)
    assert (body["graded_count"], body["pending_count"], body["grading"]) == (1, 0, "complete")
    assert [one["code"] for one in body["rejected"]] == ["invalid", "time_limit_exceeded"]
    assert body["receipt"] == {"answers_digest": "ab" * 32, "answer_count": 1}
    assert body["results"][0]["score"] == 1.25
    sent = fakes.asked("Attempts/Submit")
    assert [(one.answer_json, one.revision) for one in sent.answers] == [(b'["A","C"]', 2)]
    waited = fakes.asked("Results/Await")
    assert (waited.attempt_version, waited.timeout_ms) == (3, 2000)


async def test_submit_pending_withholds_and_counts(gateway, fakes):
    fakes.answers["Attempts/Submit"] = samples.closed()
    for answer in (
        unavailable("away"),
        RuntimeError("bug"),
        results_pb2.StudentResult(student_exam_id=samples.ATTEMPT, grading="pending"),
    ):
        fakes.answers["Results/Await"] = answer
        reply = await gateway.student.post(f"{SUBMIT}/{samples.ATTEMPT}")
        body = reply.json()
        assert reply.status_code == 200
        assert (body["grading"], body["total_score"], body["percentage"]) == ("pending", None, None)
        assert (body["results"], body["graded_count"], body["pending_count"]) == ([], 0, 1)
        assert body["max_possible"] == 2.5


async def test_submit_shows_nothing_that_is_not_released(gateway, fakes):
    fakes.answers["Attempts/Submit"] = samples.closed()
    withheld = samples.result(released=False)
    withheld.items.extend(samples.result().items)
    withheld.total_score_hundredths = 125
    fakes.answers["Results/Await"] = withheld
    body = (await gateway.student.post(f"{SUBMIT}/{samples.ATTEMPT}", json={})).json()
    assert (body["total_score"], body["percentage"], body["results"]) == (None, None, [])
    assert body["grading"] == "complete"


async def test_submit_by_id_refuses_another_attempt_in_the_body(gateway, fakes):
    fakes.answers["Attempts/Submit"] = samples.closed()
    fakes.answers["Results/Await"] = samples.result()
    path = f"{SUBMIT}/{samples.ATTEMPT}"
    assert (await gateway.student.post(path, json={"student_exam_id": samples.ATTEMPT})).status_code == 200
    other = {"student_exam_id": str(uuid.uuid4())}
    assert (await gateway.student.post(path, json=other)).status_code == 422
    assert (await gateway.student.post(SUBMIT)).status_code == 422
    assert (await gateway.student.post(f"{SUBMIT}/none")).status_code == 404


async def test_results(gateway, fakes):
    fakes.answers["Results/ListMyResults"] = results_pb2.ListMyResultsResponse(
        items=[samples.result(), samples.result(released=False)]
    )
    items = (await gateway.student.get("/api/v1/student/results")).json()["items"]
    assert [item["total_score"] for item in items] == [1.25, None]
    fakes.answers["Results/GetMyResult"] = samples.result()
    fakes.answers["Attempts/GetClosedPaper"] = attempts_pb2.ClosedPaper(questions=samples.attempt().questions)
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    assert body["results"] == [
        {
            "question_id": samples.QUESTION,
            "status": "graded",
            "is_correct": True,
            "score": 1.25,
            "max_score": 2.5,
            "answer": "B",
            "comment": None,
            "correct_answer": None,
            "explanation": None,
            "order": 1,
            "type": "single_choice",
            "question_text": "Which?",
            "options": [{"id": "A", "text": "this"}, {"id": "B", "text": "that"}],
            "media": [],
        }
    ]
    fakes.answers["Results/GetMyResult"] = not_found()
    fakes.answers["Attempts/GetSubmission"] = samples.closed(attempt_no=1)
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    assert (body["grading"], body["total_score"], body["results"]) == ("pending", None, [])
    # One whose time is up and that nobody closed yet has no receipt.
    expired = samples.closed(attempt_no=1)
    expired.status = "expired"
    expired.ClearField("receipt")
    fakes.answers["Attempts/GetSubmission"] = expired
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    assert (body["status"], body["grading"], body["total_score"]) == ("expired", "pending", None)
    fakes.answers["Attempts/GetSubmission"] = not_found()
    assert (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).status_code == 404
    fakes.answers["Results/GetMyResult"] = forbidden("Later.", "results_not_released")
    reply = await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")
    assert (reply.status_code, reply.json()["code"]) == (403, "results_not_released")


async def test_a_result_is_read_without_its_questions_too(gateway, fakes):
    fakes.answers["Results/GetMyResult"] = samples.result()
    fakes.answers["Attempts/GetClosedPaper"] = unavailable("Away.")
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    (item,) = body["results"]
    assert (item["score"], item["question_text"], item["options"]) == (1.25, None, None)
    # What is withheld needs no questions.
    fakes.calls.clear()
    fakes.answers["Results/GetMyResult"] = samples.result(released=False)
    body = (await gateway.student.get(f"/api/v1/student/results/{samples.ATTEMPT}")).json()
    assert body["results"] == []
    assert [call.method for call in fakes.calls] == ["Results/GetMyResult"]


async def test_a_service_that_is_away_is_503(gateway, fakes):
    fakes.answers["Attempts/Resume"] = unavailable("The database is away.", 3)
    reply = await gateway.student.get(f"/api/v1/student/resume/{samples.EXAM}")
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert reply.headers["retry-after"] == "3"


async def test_ids_that_are_none_are_not_found(gateway, fakes):
    fakes.answers["Attempts/Resume"] = not_found()
    for path in ("resume/1", "resume/%00", "results/x", f"resume/{samples.EXAM}"):
        reply = await gateway.student.get(f"/api/v1/student/{path}")
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
