"""The staff surface: what goes to which service, and what comes back joined."""

import gateway_samples as samples
import pytest
from examkit.errors import FieldError, conflict, invalid, not_found, unavailable
from examprotos.auth.v1 import user_admin_pb2, users_pb2
from examprotos.common.v1 import audit_pb2
from examprotos.exam.v1 import authoring_pb2, exams_pb2, invigilation_pb2
from examprotos.grading.v1 import marking_pb2
from examprotos.imports.v1 import content_pb2

ADMIN = "/api/v1/admin"
NUMERIC = {
    "type": "numeric",
    "text": "How fast?",
    "points": 1.5,
    "category": "physics",
    "tags": ["t1"],
    "explanation": "Because.",
    "key": {"value": 9.81, "tolerance": 0.01},
}
CHOICE = {
    "type": "single_choice",
    "text": "Which?",
    "options": [{"id": "A", "text": "this"}, {"id": "B", "text": "that"}],
    "key": {"correct": ["B"]},
}


@pytest.fixture
def bank(fakes):
    put = content_pb2.PutQuestionResponse(question_id=samples.QUESTION, version=1, version_id=samples.VERSION)
    fakes.answers["Content/PutQuestion"] = put
    fakes.answers["Authoring/GetQuestion"] = samples.question()
    fakes.answers["AnswerKeys/GetKeys"] = samples.keys()
    return fakes


async def test_a_question_with_its_key(gateway, bank):
    reply = await gateway.admin.get(f"{ADMIN}/questions/{samples.QUESTION}")
    assert reply.status_code == 200
    body = reply.json()
    assert body["key"] == {"value": 9.81, "tolerance": 0.01}
    assert (body["explanation"], body["points"], body["version"]) == ("Because of gravity.", 1.5, 1)
    assert (body["external_id"], body["options"], body["media"]) == ("q-1", [], [])
    assert bank.calls[-1].caller == "gateway-staff"


async def test_the_bank_needs_grading(gateway, bank):
    bank.answers["Authoring/ListQuestions"] = authoring_pb2.ListQuestionsResponse(items=[samples.question()])
    path = f"{ADMIN}/questions?category=physics&tag=t1&type=numeric&q=fast"
    assert (await gateway.admin.get(path)).json()["items"][0]["key"]["value"] == 9.81
    asked = bank.asked("Authoring/ListQuestions")
    assert (asked.category, asked.tag, asked.q, asked.type) == ("physics", "t1", "fast", 4)
    bank.downs.add("grading")
    reply = await gateway.admin.get(path)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert "retry-after" in reply.headers


async def test_writing_questions_of_every_type(gateway, bank):
    for body, kind in (
        (NUMERIC, "numeric"),
        (CHOICE, "choice"),
        ({**CHOICE, "type": "multi_choice", "key": {"correct": ["A", "B"]}}, "choice"),
        ({"type": "true_false", "text": "So?", "key": {"correct": True}}, "true_false"),
        (
            {"type": "short_text", "text": "Who?", "key": {"accepted": ["Ada"], "case_sensitive": True}},
            "short_text",
        ),
        ({"type": "text", "text": "Why?", "key": None}, "manual"),
        ({"type": "image", "text": "Draw."}, "manual"),
    ):
        reply = await gateway.admin.post(f"{ADMIN}/questions", json=body)
        assert reply.status_code == 201, reply.text
        sent = bank.asked("Content/PutQuestion")
        assert sent.key.WhichOneof("key") == kind
        assert (sent.question_id, sent.content.text) == ("", body["text"])
    await gateway.admin.post(f"{ADMIN}/questions", json=NUMERIC)
    sent = bank.asked("Content/PutQuestion")
    assert (sent.key.numeric.value, sent.key.numeric.tolerance) == ("9.81", "0.01")
    assert (sent.content.points_hundredths, sent.key.explanation) == (150, "Because.")


async def test_editing_needs_the_version(gateway, bank):
    path = f"{ADMIN}/questions/{samples.QUESTION}"
    reply = await gateway.admin.put(path, json=NUMERIC)
    assert (reply.status_code, reply.json()["errors"]) == (
        422,
        [{"loc": ["body", "version"], "msg": "Field required"}],
    )
    assert (await gateway.admin.put(path, json=NUMERIC | {"version": 3})).status_code == 200
    assert bank.asked("Content/PutQuestion").expected_version == 3
    bank.answers["Content/PutQuestion"] = conflict("stale_version", "Another came first.", current_version=4)
    reply = await gateway.admin.put(path, json=NUMERIC | {"version": 3})
    assert (reply.status_code, reply.json()["code"], reply.json()["current_version"]) == (
        409,
        "stale_version",
        4,
    )


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"type": "riddle"}, ["body"]),
        ({"points": 1.005}, ["body", "points"]),
        ({"points": "1"}, ["body", "points"]),
        ({"points": 0}, ["body", "points"]),
        ({"hint": "x"}, ["body", "hint"]),
        ({"key": {"correct": ["A"]}}, ["body", "key", "value"]),
        ({"key": None}, ["body", "key"]),
        ({"text": ""}, ["body", "text"]),
        ({"options": [{"id": "A", "text": "a"}]}, ["body", "options"]),
    ],
)
async def test_questions_that_are_not_well_formed(gateway, bank, change, loc):
    reply = await gateway.admin.post(f"{ADMIN}/questions", json=NUMERIC | change)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert loc in [error["loc"] for error in reply.json()["errors"]]


async def test_archiving(gateway, bank):
    bank.answers["Authoring/ArchiveQuestion"] = authoring_pb2.ArchiveQuestionResponse()
    reply = await gateway.admin.delete(f"{ADMIN}/questions/{samples.QUESTION}")
    assert (reply.status_code, reply.content) == (204, b"")


async def test_a_new_exam_has_the_defaults(gateway, fakes):
    fakes.answers["Authoring/CreateExam"] = samples.exam()
    reply = await gateway.admin.post(f"{ADMIN}/exams", json={"title": "Biology", "duration_minutes": 60})
    assert reply.status_code == 201
    body = reply.json()
    assert body["scoring"] == {"multi_choice": "partial", "wrong_penalty": 0.25}
    assert body["questions"] == [{"question_id": samples.QUESTION, "points": 3.0}]
    assert (body["access_code"], body["roster"]["all"], body["status"]) == ("room-7", True, "draft")
    sent = fakes.asked("Authoring/CreateExam").settings
    assert (sent.grace_seconds, sent.max_attempts, sent.shuffle_options) == (30, 1, True)
    assert (sent.result_policy, sent.reveal) == (
        exams_pb2.RESULT_POLICY_IMMEDIATE,
        exams_pb2.REVEAL_CORRECTNESS,
    )
    assert not sent.HasField("start_time")


async def test_patching_names_what_was_given(gateway, fakes):
    fakes.answers["Authoring/UpdateExam"] = samples.exam()
    path = f"{ADMIN}/exams/{samples.EXAM}"
    change = {"title": "New", "end_time": None, "access_code": None, "scoring": {"wrong_penalty": 0.5}}
    assert (await gateway.admin.patch(path, json=change)).status_code == 200
    sent = fakes.asked("Authoring/UpdateExam")
    assert sorted(sent.mask.paths) == ["access_code", "end_time", "scoring.wrong_penalty", "title"]
    assert (sent.settings.title, sent.settings.scoring.wrong_penalty) == ("New", "0.5")
    assert not sent.settings.HasField("end_time")
    for wrong in (
        {},
        {"title": None},
        {"duration_minutes": None},
        {"scoring": None},
        {"status": "published"},
    ):
        assert (await gateway.admin.patch(path, json=wrong)).status_code == 422, wrong


async def test_roster_questions_publish_close(gateway, fakes):
    path = f"{ADMIN}/exams/{samples.EXAM}"
    for method in ("SetRoster", "SetExamQuestions", "PublishExam", "CloseExam"):
        fakes.answers[f"Authoring/{method}"] = samples.exam()
    assert (await gateway.admin.put(f"{path}/roster", json={"all": True})).status_code == 200
    named = {"student_ids": [samples.STUDENT], "groups": ["a"]}
    assert (await gateway.admin.put(f"{path}/roster", json=named)).status_code == 200
    sent = fakes.asked("Authoring/SetRoster").roster
    assert (sent.all, list(sent.student_ids), list(sent.groups)) == (False, [samples.STUDENT], ["a"])
    for wrong in ({}, {"all": True, "groups": ["a"]}, {"student_ids": ["x"]}, {"all": "yes"}):
        assert (await gateway.admin.put(f"{path}/roster", json=wrong)).status_code == 422
    questions = {
        "questions": [{"question_id": samples.QUESTION, "points": 2.25}, {"question_id": samples.EXAM}]
    }
    assert (await gateway.admin.put(f"{path}/questions", json=questions)).status_code == 200
    first, second = fakes.asked("Authoring/SetExamQuestions").questions
    assert (first.points_hundredths, second.HasField("points_hundredths")) == (225, False)
    assert (await gateway.admin.post(f"{path}/publish")).status_code == 200
    assert (await gateway.admin.post(f"{path}/close")).status_code == 200
    reasons = [{"code": "no_questions", "detail": "There are none."}]
    fakes.answers["Authoring/PublishExam"] = conflict("not_publishable", "No.", reasons=reasons)
    reply = await gateway.admin.post(f"{path}/publish")
    assert (reply.status_code, reply.json()["reasons"]) == (409, reasons)


async def test_what_services_find_wrong_is_located(gateway, fakes):
    fakes.answers["Authoring/CreateExam"] = invalid(
        "Wrong.", FieldError(("end_time",), "must be after start_time")
    )
    reply = await gateway.admin.post(f"{ADMIN}/exams", json={"title": "B", "duration_minutes": 60})
    assert reply.status_code == 422
    assert reply.json()["errors"] == [{"loc": ["body", "end_time"], "msg": "must be after start_time"}]


async def test_accommodations(gateway, fakes):
    fakes.answers["UserAdmin/GetUser"] = samples.user()
    fakes.answers["Invigilation/PutAccommodation"] = samples.accommodation()
    fakes.answers["Invigilation/GetAccommodation"] = samples.accommodation()
    fakes.answers["Invigilation/DeleteAccommodation"] = invigilation_pb2.DeleteAccommodationResponse()
    own = f"{ADMIN}/students/{samples.STUDENT}/accommodations"
    of_exam = f"{ADMIN}/exams/{samples.EXAM}/accommodations/{samples.STUDENT}"
    for path, exam_id in ((own, ""), (of_exam, samples.EXAM)):
        body = {"extra_time_percent": 25, "end_time": "2026-05-04T13:00:00Z"}
        reply = await gateway.admin.put(path, json=body)
        assert reply.status_code == 200
        assert (reply.json()["extra_time_percent"], reply.json()["exam_id"]) == (25, None)
        sent = fakes.asked("Invigilation/PutAccommodation").accommodation
        assert (sent.exam_id, sent.student_id) == (exam_id, samples.STUDENT)
        assert (await gateway.admin.get(path)).status_code == 200
        assert (await gateway.admin.delete(path)).status_code == 204
    assert (await gateway.admin.put(own, json={})).status_code == 422


def named(name="Ada"):
    user = samples.user()
    user.name = name
    return user_admin_pb2.BatchGetUsersResponse(items=[user])


async def test_results_are_joined(gateway, fakes):
    fakes.answers["Invigilation/ListAttempts"] = invigilation_pb2.ListAttemptsResponse(
        items=[samples.summary()], next_cursor="n"
    )
    fakes.answers["Marking/BatchGetResults"] = marking_pb2.BatchGetResultsResponse(
        items=[samples.full_result()]
    )
    fakes.answers["UserAdmin/BatchGetUsers"] = named()
    path = f"{ADMIN}/exams/{samples.EXAM}/results"
    body = (await gateway.admin.get(path)).json()
    item = body["items"][0]
    assert (item["student_name"], item["student_email"]) == ("Ada", "ada@example.com")
    assert (item["total_score"], item["percentage"], item["grading"]) == (1.25, 50.0, "complete")
    assert body["next_cursor"] == "n"
    fakes.downs.add("auth")
    item = (await gateway.admin.get(path)).json()["items"][0]
    assert (item["student_id"], item["student_name"]) == (samples.STUDENT, None)
    fakes.downs.add("grading")
    assert (await gateway.admin.get(path)).status_code == 503


async def test_results_before_a_grade(gateway, fakes):
    fakes.answers["Invigilation/ListAttempts"] = invigilation_pb2.ListAttemptsResponse(
        items=[samples.summary(), samples.summary("in_progress")]
    )
    fakes.answers["Marking/BatchGetResults"] = marking_pb2.BatchGetResultsResponse()
    fakes.answers["UserAdmin/BatchGetUsers"] = named()
    items = (await gateway.admin.get(f"{ADMIN}/exams/{samples.EXAM}/results")).json()["items"]
    assert [(item["grading"], item["total_score"], item["pending_count"]) for item in items] == [
        ("pending", None, 1),
        (None, None, 0),
    ]


async def test_one_full_result(gateway, fakes):
    fakes.answers["Invigilation/GetAttempt"] = samples.summary()
    fakes.answers["Marking/BatchGetResults"] = marking_pb2.BatchGetResultsResponse(
        items=[samples.full_result()]
    )
    fakes.answers["UserAdmin/BatchGetUsers"] = named()
    body = (await gateway.admin.get(f"{ADMIN}/attempts/{samples.ATTEMPT}/result")).json()
    assert body["results"][0]["marked_by"] == samples.STUDENT
    assert fakes.asked("Marking/BatchGetResults").with_items


async def test_marking(gateway, fakes):
    queue_item = marking_pb2.QueueItem(
        student_exam_id=samples.ATTEMPT,
        student_id=samples.STUDENT,
        exam_id=samples.EXAM,
        question_id=samples.QUESTION,
        answer_json=b'"because"',
        max_score_hundredths=250,
        submitted_at=samples.at(),
    )
    fakes.answers["Marking/ListQueue"] = marking_pb2.ListQueueResponse(items=[queue_item], total=1)
    fakes.answers["UserAdmin/BatchGetUsers"] = named()
    body = (await gateway.admin.get(f"{ADMIN}/grading/queue", params={"exam_id": samples.EXAM})).json()
    assert (body["total"], body["items"][0]["answer"], body["items"][0]["max_score"]) == (1, "because", 2.5)
    assert (await gateway.admin.get(f"{ADMIN}/grading/queue?exam_id=x")).status_code == 422
    fakes.answers["Marking/PutMark"] = samples.full_result()
    path = f"{ADMIN}/grading/{samples.ATTEMPT}/{samples.QUESTION}"
    reply = await gateway.admin.put(path, json={"score": 1.25, "comment": "good"})
    assert (reply.status_code, reply.json()["total_score"]) == (200, 1.25)
    assert fakes.asked("Marking/PutMark").score_hundredths == 125
    assert (await gateway.admin.put(path, json={"score": 1.255})).status_code == 422
    fakes.answers["Marking/PutMark"] = invalid("Above.", FieldError(("score",), "At most 2.5."))
    assert (await gateway.admin.put(path, json={"score": 99})).status_code == 422
    fakes.answers["Marking/ReleaseResults"] = marking_pb2.ReleaseResultsResponse(released_at=samples.at())
    reply = await gateway.admin.post(f"{ADMIN}/exams/{samples.EXAM}/release")
    assert reply.json() == {"released_at": "2026-05-04T12:00:00Z"}


async def test_people(gateway, fakes):
    fakes.answers["UserAdmin/ListUsers"] = user_admin_pb2.ListUsersResponse(items=[samples.user()])
    path = f"{ADMIN}/users"
    body = (await gateway.admin.get(path, params={"q": "ada", "role": "student", "active": "true"})).json()
    assert body["items"][0]["has_password"] is True
    asked = fakes.asked("UserAdmin/ListUsers")
    assert (asked.role, asked.active, asked.q) == (users_pb2.ROLE_STUDENT, True, "ada")
    fakes.answers["UserAdmin/CreateUser"] = samples.user()
    reply = await gateway.admin.post(path, json={"email": "ada@example.com", "name": "Ada"})
    assert (reply.status_code, reply.json()["role"]) == (201, "student")
    assert not fakes.asked("UserAdmin/CreateUser").HasField("password")
    fakes.answers["UserAdmin/UpdateUser"] = samples.user()
    one = f"{path}/{samples.STUDENT}"
    assert (await gateway.admin.patch(one, json={"groups": [], "active": False})).status_code == 200
    sent = fakes.asked("UserAdmin/UpdateUser")
    assert sent.HasField("groups")
    assert (sent.HasField("active"), sent.active, sent.HasField("name")) == (True, False, False)
    for wrong in ({}, {"name": None}, {"role": "god"}, {"id": samples.EXAM}):
        assert (await gateway.admin.patch(one, json=wrong)).status_code == 422
    fakes.answers["UserAdmin/CreatePasswordLink"] = user_admin_pb2.PasswordLink(
        token="t", expires_at=samples.at()
    )
    reply = await gateway.admin.post(f"{one}/password-link")
    assert (reply.status_code, reply.json()["token"]) == (201, "t")
    fakes.answers["UserAdmin/CreateUser"] = conflict("email_taken", "Taken.")
    reply = await gateway.admin.post(path, json={"email": "ada@example.com", "name": "Ada"})
    assert (reply.status_code, reply.json()["code"]) == (409, "email_taken")


def entry(number, minute, actor=""):
    return audit_pb2.Entry(
        id=f"00000000-0000-7000-8000-{number:012d}",
        at=samples.at(minute),
        # A service that acts by itself gives its name.
        actor_id=actor or "auth",
        actor_kind="user" if actor else "service",
        action="thing.done",
        object_type="thing",
        object_id="1",
        after_json=b'{"a":1}',
    )


async def test_the_audit_trail_is_merged(gateway, fakes):
    logs = {
        "auth": [entry(1, 9), entry(2, 3)],
        "exam": [entry(3, 8, samples.STUDENT), entry(4, 3), entry(5, 1)],
        "grading": [entry(6, 5)],
        "import": [],
    }

    def reading(owner):
        def answer(request):
            before = (request.before.seconds, request.before_id) if request.HasField("before") else None
            items = [e for e in logs[owner] if before is None or (e.at.seconds, e.id) < before]
            return audit_pb2.ListResponse(items=items[: request.limit])

        return answer

    for owner in logs:
        fakes.answers[f"{owner}:AuditLog/List"] = reading(owner)
    fakes.answers["UserAdmin/BatchGetUsers"] = named()
    seen, cursor = [], ""
    while cursor is not None:
        page = (await gateway.admin.get(f"{ADMIN}/audit", params={"limit": 2, "cursor": cursor})).json()
        seen += [(item["service"], int(item["id"][-1])) for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [("auth", 1), ("exam", 3), ("grading", 6), ("exam", 4), ("auth", 2), ("exam", 5)]
    service, first = (await gateway.admin.get(f"{ADMIN}/audit?limit=2")).json()["items"]
    assert (service["actor_id"], service["actor_name"], service["actor_kind"]) == (None, "auth", "service")
    assert (first["actor_name"], first["after"], first["before"]) == ("Ada", {"a": 1}, None)
    assert (await gateway.admin.get(f"{ADMIN}/audit?cursor=rubbish")).status_code == 422
    fakes.downs.add("grading")
    assert (await gateway.admin.get(f"{ADMIN}/audit")).status_code == 503


async def test_students_stay_out(gateway):
    for path in ("/questions", "/exams", "/users", "/audit", "/imports", "/grading/queue"):
        reply = await gateway.student.get(ADMIN + path)
        assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
    reply = await gateway.admin.get("/api/v1/student/exams")
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")


async def test_only_students_get_accommodations(gateway, fakes):
    path = f"{ADMIN}/students/{samples.STUDENT}/accommodations"
    for answer in (samples.user(users_pb2.ROLE_ADMIN), not_found()):
        fakes.answers["UserAdmin/GetUser"] = answer
        assert (await gateway.admin.put(path, json={"extra_time_percent": 25})).status_code == 404
    fakes.answers["UserAdmin/GetUser"] = unavailable("Away.")
    fakes.answers["Invigilation/PutAccommodation"] = samples.accommodation()
    assert (await gateway.admin.put(path, json={"extra_time_percent": 25})).status_code == 200


async def test_as_many_extra_attempts_as_exam_takes(gateway, fakes):
    fakes.answers["UserAdmin/GetUser"] = samples.user()
    fakes.answers["Invigilation/PutAccommodation"] = samples.accommodation()
    path = f"{ADMIN}/students/{samples.STUDENT}/accommodations"
    for extra, status in ((10, 200), (11, 422)):
        body = {"extra_time_percent": 25, "extra_attempts": extra}
        assert (await gateway.admin.put(path, json=body)).status_code == status
    document = (await gateway.anonymous.get("/api/v1/openapi.json")).json()
    told = document["components"]["schemas"]["AccommodationIn"]["properties"]["extra_attempts"]
    assert (told["minimum"], told["maximum"]) == (0, 10)
