"""The hot path: verdicts, statuses, and what is refused before it reaches exam."""

import asyncio
import json
import time

import gateway_samples as samples
import pytest
from exam_gateway.student import save_client
from exam_gateway.student.save_client import Save, SaveClient
from examkit.errors import AppError, unavailable
from examkit.rpc.context import acting
from examkit.testing import eventually
from examprotos.exam.v1 import attempts_pb2
from prometheus_client import REGISTRY

ONE = "/api/v1/student/save-answer"
MANY = "/api/v1/student/save-answers"


def one(**changes):
    body = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION, "answer": "B", "revision": 7}
    return {name: value for name, value in (body | changes).items() if value is not ...}


def many(*answers):
    return {"student_exam_id": samples.ATTEMPT, "answers": list(answers)}


def item(answer="B", **more):
    return {"question_id": samples.QUESTION, "answer": answer} | more


def answering(*verdicts):
    return attempts_pb2.SaveBatchResponse(results=[samples.verdicts(*verdicts)])


async def test_stored(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    reply = await gateway.student.post(ONE, json=one())
    assert reply.status_code == 200
    assert reply.json() == {
        "success": True,
        "outcome": "stored",
        "saved_at": "2026-05-04T12:01:00Z",
        "revision": 7,
        "deadline": "2026-05-04T12:59:00Z",
        "deadline_version": 2,
        "server_time": "2026-05-04T12:01:00Z",
        "time_remaining_seconds": 3480.5,
    }
    assert reply.headers["cache-control"] == "no-store"
    save = fakes.asked("Attempts/SaveBatch").saves[0]
    assert save.token == gateway.student.headers["authorization"].removeprefix("Bearer ")
    assert 0 <= save.elapsed_ms < 1000
    # The tokens are inside: the call itself is nobody's.
    assert fakes.calls[-1].token is None


async def test_without_a_revision(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    for revision in (..., None):
        assert (await gateway.student.post(ONE, json=one(revision=revision))).status_code == 200
        assert not fakes.asked("Attempts/SaveBatch").saves[0].answers[0].HasField("revision")


@pytest.mark.parametrize("outcome", ["repeat", "superseded"])
async def test_repeat_and_superseded_are_fine(gateway, fakes, outcome):
    fakes.answers["Attempts/SaveBatch"] = answering(
        samples.verdict(outcome, current=samples.saved(b"null", 9))
    )
    body = (await gateway.student.post(ONE, json=one())).json()
    assert (body["success"], body["outcome"]) == (True, outcome)
    assert body["current"] == {"answer": None, "revision": 9, "saved_at": "2026-05-04T12:01:00.123456Z"}


async def test_conflict(gateway, fakes):
    verdict = samples.verdict("conflict", code="conflict", detail="Another one.", current=samples.saved())
    fakes.answers["Attempts/SaveBatch"] = answering(verdict)
    reply = await gateway.student.post(ONE, json=one())
    assert (reply.status_code, reply.json()["code"]) == (409, "conflict")
    assert reply.json()["current"]["answer"] == "B"


async def test_a_bad_answer(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = answering(samples.verdict("rejected", code="invalid", detail="No."))
    reply = await gateway.student.post(ONE, json=one())
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert reply.json()["errors"] == [{"loc": ["body", "answer"], "msg": "No."}]


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("REFUSED", "time_limit_exceeded", 400),
        ("CONFLICT", "already_submitted", 409),
        ("NOT_FOUND", "not_found", 404),
        ("UNAVAILABLE", "unavailable", 503),
    ],
)
@pytest.mark.parametrize("path", [ONE, MANY])
async def test_faults_of_the_attempt_set_the_status(gateway, fakes, kind, code, status, path):
    fault = attempts_pb2.Fault(kind=kind, code=code, detail="So it is.", retry_after_seconds=2)
    fakes.answers["Attempts/SaveBatch"] = attempts_pb2.SaveBatchResponse(
        results=[attempts_pb2.AttemptSaveResult(fault=fault)]
    )
    reply = await gateway.student.post(path, json=one() if path == ONE else many(item()))
    assert (reply.status_code, reply.json()["code"]) == (status, code)


async def test_many_sorts_good_from_bad(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = answering(
        samples.verdict("stored"),
        samples.verdict("superseded", current=samples.saved()),
        samples.verdict("conflict", code="conflict", detail="c", current=samples.saved()),
        samples.verdict("rejected", code="invalid", detail="r"),
    )
    answers = [item(), item(), item(), item(), item(question_id="q9"), item(revision=1.5), item("\0")]
    body = (await gateway.student.post(MANY, json=many(*answers))).json()
    assert [saved["outcome"] for saved in body["saved"]] == ["stored", "superseded"]
    assert body["saved"][1]["current"]["revision"] == 7
    assert [one["code"] for one in body["rejected"]] == ["invalid"] * 3 + ["conflict", "invalid"]
    assert body["rejected"][0]["question_id"] == "q9"
    assert body["rejected"][3]["current"]["answer"] == "B"
    assert body["deadline_version"] == 2
    assert len(fakes.asked("Attempts/SaveBatch").saves[0].answers) == 4


async def test_a_lone_surrogate_costs_only_its_own_answer(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    good, bad = json.dumps(item("\U0001f600")), json.dumps(item("\ud800"))
    content = f'{{"student_exam_id": "{samples.ATTEMPT}", "answers": [{good}, {bad}]}}'
    reply = await gateway.student.post(MANY, content=content, headers={"content-type": "application/json"})
    assert reply.status_code == 200
    assert len(reply.json()["saved"]) == len(reply.json()["rejected"]) == 1
    assert json.loads(fakes.asked("Attempts/SaveBatch").saves[0].answers[0].answer_json) == "\U0001f600"


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (one(extra=1), ["body", "extra"]),
        (one(answer=...), ["body", "answer"]),
        (one(student_exam_id=...), ["body", "student_exam_id"]),
        (one(student_exam_id="x"), ["body", "student_exam_id"]),
        (one(question_id="x"), ["body", "question_id"]),
        (one(question_id=5), ["body", "question_id"]),
        (one(revision=-1), ["body", "revision"]),
        (one(revision=2**53), ["body", "revision"]),
        (one(revision="7"), ["body", "revision"]),
        (one(revision=True), ["body", "revision"]),
        (one(answer="a\0b"), ["body", "answer"]),
        ([], ["body"]),
        (None, ["body"]),
    ],
)
async def test_bodies_that_are_not_ours(gateway, body, loc):
    reply = await gateway.student.post(ONE, content=json.dumps(body))
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")
    assert reply.json()["errors"][0]["loc"] == loc


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'"\xff"', b"[" * 4000, b'{"a":NaN}', b'"\\ud800"'])
@pytest.mark.parametrize("path", [ONE, MANY, "/api/v1/student/submit"])
async def test_what_is_no_json(gateway, content, path):
    reply = await gateway.student.post(path, content=content)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")


async def test_more_than_fit(gateway):
    reply = await gateway.student.post(MANY, json=many(*[item()] * 201))
    assert (reply.status_code, reply.json()["errors"][0]["loc"]) == (422, ["body", "answers"])


@pytest.mark.parametrize(
    ("path", "body", "loc"),
    [
        (MANY, {"answers": []}, ["body", "student_exam_id"]),
        (MANY, many() | {"answers": 5}, ["body", "answers"]),
        (MANY, many() | {"more": []}, ["body", "more"]),
        ("/api/v1/student/submit", many() | {"more": []}, ["body", "more"]),
        ("/api/v1/student/submit", {"student_exam_id": 5}, ["body", "student_exam_id"]),
        (f"/api/v1/student/start/{samples.EXAM}", {"more": 1}, ["body", "more"]),
        (f"/api/v1/student/start/{samples.EXAM}", {"access_code": 1}, ["body", "access_code"]),
    ],
)
async def test_errors_name_the_field(gateway, path, body, loc):
    reply = await gateway.student.post(path, json=body)
    assert (reply.status_code, reply.json()["errors"][0]["loc"]) == (422, loc)


async def test_exam_tells_which_field_is_at_fault(gateway, fakes):
    verdict = samples.verdict("rejected", code="invalid", detail="The exam has no such question.")
    verdict.field = "question_id"
    fakes.answers["Attempts/SaveBatch"] = answering(verdict)
    reply = await gateway.student.post(ONE, json=one())
    assert (reply.status_code, reply.json()["errors"][0]["loc"]) == (422, ["body", "question_id"])


async def test_refused_answers_still_learn_the_time(gateway, fakes):
    """Nothing is saved, and the clock and the attempt's faults are exam's to tell."""
    fakes.answers["Attempts/SaveBatch"] = answering()
    body = (await gateway.student.post(MANY, json=many(item(5)))).json()
    assert (len(body["rejected"]), body["saved"], body["deadline_version"]) == (1, [], 2)
    calls = len(fakes.calls)
    assert (await gateway.student.post(ONE, json=one(answer=5))).status_code == 422
    assert len(fakes.calls) == calls


async def test_only_students_only_post_only_json(gateway):
    assert (await gateway.anonymous.post(ONE, json=one())).status_code == 401
    assert (await gateway.admin.post(ONE, json=one())).status_code == 403
    reply = await gateway.student.get(ONE)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    reply = await gateway.student.post(ONE, content=b"a=b", headers={"content-type": "text/plain"})
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported")


async def test_saves_that_wait_go_together(gateway, fakes):
    def batches():
        return REGISTRY.get_sample_value("examhall_save_batch_size_count")

    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    before = batches()
    replies = await asyncio.gather(*(gateway.student.post(ONE, json=one(revision=n)) for n in range(60)))
    assert sorted(reply.json()["revision"] for reply in replies) == list(range(60))
    assert batches() - before < 60


class _Exam:
    """SaveBatch by hand: each call waits until it is let go."""

    def __init__(self):
        self.calls = []

    async def __call__(self, request, *, timeout, metadata):
        go = asyncio.get_running_loop().create_future()
        self.calls.append((request, go))
        self.told = (timeout, dict(iter(metadata)))
        return await go


def _save(number, size=0, received=None, with_revision=True):
    answer = {"question_id": "q", "answer_json": b"x" * size}
    if with_revision:
        answer["revision"] = number
    received = time.monotonic() if received is None else received
    return Save("", str(number), [answer], received, size)


async def _settled():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_each_save_of_a_batch_gets_its_own_verdict():
    exam = _Exam()
    client = SaveClient(exam, in_flight=1, clock=lambda: 10.0)
    saves = [client.save(_save(number, received=9.5)) for number in range(4)]
    await _settled()
    assert [len(request.saves) for request, _ in exam.calls] == [4] or len(exam.calls[0][0].saves) == 1
    while not all(task.done() for task in saves):
        for request, go in exam.calls:
            if not go.done():
                assert all(save.elapsed_ms == 500 for save in request.saves)
                go.set_result(_marked(request))
        await _settled()
    assert [(await task).clock.deadline_version for task in saves] == [0, 1, 2, 3]


def _marked(request):
    return attempts_pb2.SaveBatchResponse(
        results=[
            attempts_pb2.AttemptSaveResult(
                clock=attempts_pb2.Clock(deadline_version=int(save.student_exam_id))
            )
            for save in request.saves
        ]
    )


async def test_too_many_waiting_are_refused_at_once():
    exam = _Exam()
    client = SaveClient(exam, in_flight=1, capacity=2)
    first = client.save(_save(0))
    await _settled()
    waiting = [client.save(_save(number)) for number in (1, 2)]
    await _settled()
    with pytest.raises(AppError) as refused:
        await client.save(_save(3))
    assert (refused.value.code, refused.value.retry_after) == ("unavailable", 1.0)
    exam.calls[0][1].set_exception(unavailable("down"))
    await _settled()
    assert len(exam.calls[1][0].saves) == 2
    exam.calls[1][1].set_result(_marked(exam.calls[1][0]))
    with pytest.raises(AppError):
        await first
    assert [(await task).clock.deadline_version for task in waiting] == [1, 2]


async def test_a_batch_is_nobodys():
    """Whoever happens to set it off lends it neither token nor deadline."""
    exam = _Exam()
    client = SaveClient(exam, in_flight=1)
    with acting(token="mine", request_id="mine", timeout=0.5):
        task = client.save(_save(0))
        await _settled()
    timeout, metadata = exam.told
    assert timeout > 3
    assert metadata.keys() <= {"traceparent"}
    exam.calls[0][1].set_result(_marked(exam.calls[0][0]))
    await task


async def test_what_lay_too_long_is_told_so_and_not_sent():
    """A hung exam: whoever waits longer than a request may wait keeps the answer and asks again."""
    exam = _Exam()
    now = 100.0
    client = SaveClient(exam, in_flight=1, clock=lambda: now)
    first = client.save(_save(0, received=now))
    await _settled()
    late = client.save(_save(1, received=now))
    now += save_client.MOST_WAIT_SECONDS + 0.1
    fresh = client.save(_save(2, received=now))
    exam.calls[0][1].set_result(_marked(exam.calls[0][0]))
    await _settled()
    assert [save.student_exam_id for save in exam.calls[1][0].saves] == ["2"]
    exam.calls[1][1].set_result(_marked(exam.calls[1][0]))
    assert (await first).clock.deadline_version == 0
    assert (await fresh).clock.deadline_version == 2
    with pytest.raises(AppError) as told:
        await late
    assert told.value.code == "unavailable"


async def test_while_exam_is_silent_no_more_than_a_batch_may_wait():
    exam = _Exam()
    now = 100.0
    client = SaveClient(exam, in_flight=1, batch=2, clock=lambda: now)
    first = client.save(_save(0, received=now))
    await _settled()
    now += save_client.CALL_SECONDS
    exam.calls[0][1].set_exception(unavailable("no answer"))
    with pytest.raises(AppError):
        await first
    waiting = [client.save(_save(number, received=now)) for number in (1,)]
    await _settled()
    waiting += [client.save(_save(number, received=now)) for number in (2, 3)]
    with pytest.raises(AppError):
        client.save(_save(4, received=now))
    exam.calls[1][1].set_result(_marked(exam.calls[1][0]))
    await _settled()
    waiting += [client.save(_save(number, received=now)) for number in (5, 6)]
    exam.calls[2][1].set_result(_marked(exam.calls[2][0]))
    await _settled()
    exam.calls[3][1].set_result(_marked(exam.calls[3][0]))
    assert [(await verdict).clock.deadline_version for verdict in waiting] == [1, 2, 3, 5, 6]


async def test_saves_without_revisions_travel_apart():
    """They can't be sent twice; the others must not lose their second try by it."""
    exam = _Exam()
    client = SaveClient(exam, in_flight=1)
    first = client.save(_save(0))
    await _settled()
    rest = [client.save(_save(1)), client.save(_save(2, with_revision=False)), client.save(_save(3))]
    calls = []
    for number in range(3):
        calls.append([save.student_exam_id for save in exam.calls[number][0].saves])
        exam.calls[number][1].set_result(_marked(exam.calls[number][0]))
        await _settled()
    assert calls == [["0"], ["1", "3"], ["2"]]
    assert [(await verdict).clock.deadline_version for verdict in (first, *rest)] == [0, 1, 2, 3]


async def test_large_saves_travel_apart():
    exam = _Exam()
    client = SaveClient(exam, in_flight=1, batch_bytes=100)
    tasks = [client.save(_save(number, 80)) for number in range(3)]
    for number in range(3):
        await _settled()
        request, go = exam.calls[number]
        assert len(request.saves) == 1
        go.set_result(_marked(request))
    await asyncio.gather(*tasks)


async def test_a_save_that_was_set_aside_goes_again_and_stalls_no_other(gateway, fakes):
    """Its attempt was held by somebody: the others have their answers meanwhile."""
    released = False
    tries = 0

    def answer(request):
        nonlocal tries
        answered = samples.store_all(request)
        for save, result in zip(request.saves, answered.results, strict=True):
            if save.answers[0].revision == 99 and not released:
                tries += 1
                result.Clear()
                result.set_aside = True
                result.fault.kind, result.fault.code = "UNAVAILABLE", "unavailable"
        return answered

    fakes.answers["Attempts/SaveBatch"] = answer
    held = asyncio.create_task(gateway.student.post(ONE, json=one(revision=99)))
    await eventually(lambda: tries >= 2)
    assert (await gateway.student.post(ONE, json=one())).status_code == 200
    assert not held.done()
    released = True
    assert ((await held).status_code, (await held).json()["outcome"]) == (200, "stored")


async def test_a_save_that_stays_set_aside_is_told_so(gateway, fakes, monkeypatch):
    monkeypatch.setattr(save_client, "MOST_WAIT_SECONDS", 0.1)
    held = attempts_pb2.AttemptSaveResult(set_aside=True)
    held.fault.kind, held.fault.code = "UNAVAILABLE", "unavailable"
    fakes.answers["Attempts/SaveBatch"] = attempts_pb2.SaveBatchResponse(results=[held])
    reply = await gateway.student.post(ONE, json=one())
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert reply.headers["retry-after"]


@pytest.mark.parametrize(
    "broken", [b'{"question_id":"\xff","answer":"B"}', b'{"\xff":1,"question_id":"x","answer":"B"}']
)
async def test_broken_utf8_in_one_answer_costs_no_other(gateway, fakes, broken):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    good = b'{"question_id":"%s","answer":"B","revision":1}' % samples.QUESTION.encode()
    body = b'{"student_exam_id":"%s","answers":[%s,%s]}' % (samples.ATTEMPT.encode(), broken, good)
    reply = await gateway.student.post(MANY, content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 200, reply.text
    assert (len(reply.json()["saved"]), len(reply.json()["rejected"])) == (1, 1)
