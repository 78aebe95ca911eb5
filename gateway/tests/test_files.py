"""Files through HTTP: what is sent to exam by whom, and how a picture comes back."""

import gateway_samples as samples
import pytest
from exam_gateway.guards import downloads
from examkit.errors import AppError, conflict, invalid, not_found, refused, too_large, unsupported
from examprotos.exam.v1 import files_pb2

STUDENT, STAFF = "/api/v1/student/files", "/api/v1/admin/files"
FILE = f"/api/v1/files/{samples.FILE}"
ONE = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION}


def picture(data=b"PNG"):
    # What the browser says of it counts for nothing.
    return {"file": ("../photo.svg", data, "image/svg+xml")}


async def test_a_student_sends_a_picture(gateway, fakes):
    fakes.answers["AnswerFiles/AddAnswerFile"] = files_pb2.AddFileResponse(file_id=samples.FILE)
    reply = await gateway.student.post(STUDENT, data=ONE, files=picture())
    assert (reply.status_code, reply.json()) == (201, {"file_id": samples.FILE})
    call = fakes.calls[-1]
    assert call.caller == "gateway-student"
    assert (call.request.student_exam_id, call.request.question_id) == (samples.ATTEMPT, samples.QUESTION)
    assert call.request.data == b"PNG"
    assert 0 <= call.request.elapsed_ms < 60_000


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (not_found(), 404),
        (refused("time_limit_exceeded", "Over."), 400),
        (conflict("already_submitted", "Submitted."), 409),
        (conflict("too_many_files", "Too many."), 409),
        (too_large(), 413),
        (unsupported("Send a JPEG."), 415),
        (invalid("Damaged."), 422),
    ],
)
async def test_why_a_picture_is_not_taken(gateway, fakes, error, status):
    fakes.answers["AnswerFiles/AddAnswerFile"] = error
    reply = await gateway.student.post(STUDENT, data=ONE, files=picture())
    assert (reply.status_code, reply.json()["code"], reply.json()["detail"]) == (
        status,
        error.code,
        error.detail,
    )


async def test_forms_that_are_none(gateway, fakes):
    for data, files in (
        ({"student_exam_id": "x", "question_id": samples.QUESTION}, picture()),
        ({"question_id": samples.QUESTION}, picture()),
        (ONE, {}),
        (ONE | {"file": "no file"}, {}),
    ):
        reply = await gateway.student.post(STUDENT, data=data, files=files)
        assert (reply.status_code, reply.json()["code"]) == (422, "invalid"), data
    assert (await gateway.student.post(STUDENT, json=ONE)).status_code == 422
    huge = await gateway.student.post(STUDENT, data=ONE, files=picture(b"x" * (11 * 1024 * 1024)))
    assert (huge.status_code, huge.json()["code"]) == (413, "too_large")
    assert not fakes.calls


async def test_staff_send_pictures_for_questions(gateway, fakes):
    fakes.answers["QuestionFiles/AddQuestionFile"] = files_pb2.AddFileResponse(file_id=samples.FILE)
    reply = await gateway.admin.post(STAFF, files=picture())
    assert (reply.status_code, reply.json()) == (201, {"file_id": samples.FILE})
    assert (fakes.calls[-1].caller, fakes.calls[-1].request.data) == ("gateway-staff", b"PNG")


async def test_who_may_send_and_see(gateway, fakes):
    fakes.answers |= samples.everything()
    for client, status, code in (
        (gateway.anonymous, 401, "unauthenticated"),
        (gateway.student, 403, "forbidden"),
    ):
        reply = await client.post(STAFF, files=picture())
        assert (reply.status_code, reply.json()["code"]) == (status, code)
    for client, status in ((gateway.anonymous, 401), (gateway.admin, 403)):
        assert (await client.post(STUDENT, data=ONE, files=picture())).status_code == status
    assert (await gateway.anonymous.get(FILE)).status_code == 401
    assert not fakes.calls
    for client in (gateway.student, gateway.admin):
        assert (await client.get(FILE)).status_code == 200
        # Exam judges by the user's own token who may see it.
        assert fakes.calls[-1].token == client.headers["authorization"].removeprefix("Bearer ")


async def test_nothing_in_a_picture_can_run(gateway, fakes):
    fakes.answers["Files/GetFile"] = files_pb2.File(media_type="image/webp", data=b"<script>")
    reply = await gateway.student.get(FILE)
    assert reply.content == b"<script>"
    assert reply.headers["content-type"] == "image/webp"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-disposition"] == f'inline; filename="{samples.FILE}.webp"'
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert reply.headers["cache-control"] == "private, no-store"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"


async def test_files_that_are_not_there(gateway, fakes):
    fakes.answers["Files/GetFile"] = not_found("There is no such file.")
    for path in (FILE, "/api/v1/files/x", "/api/v1/files/..%2f..%2fetc"):
        assert (await gateway.student.get(path)).status_code == 404


async def test_few_downloads_at_once_until_they_are_written(monkeypatch):
    monkeypatch.setattr(downloads, "AT_ONCE", 3)
    monkeypatch.setattr(downloads, "AT_ONCE_OF_USER", 2)
    monkeypatch.setattr(downloads, "WAIT_SECONDS", 0.0)
    held = downloads.Downloads()
    async with held.turn("a"), held.turn("a"):
        with pytest.raises(AppError) as refused:
            await held.turn("a").__aenter__()
        assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 1.0)
        async with held.turn("b"):
            with pytest.raises(AppError) as refused:
                await held.turn("c").__aenter__()
            assert refused.value.code == "unavailable"
    async with held.turn("a"), held.turn("a"), held.turn("b"):
        pass


async def test_a_download_counts_until_it_is_written(run, fakes, monkeypatch):
    """Who reads nothing keeps a turn, and no more of the picture than a slice leaves the process."""
    monkeypatch.setattr(downloads, "AT_ONCE_OF_USER", 1)
    monkeypatch.setattr(downloads, "WAIT_SECONDS", 0.0)
    data = bytes(range(256)) * 4096 * 9
    fakes.answers["Files/GetFile"] = files_pb2.File(media_type="image/png", data=data)
    async with run() as gateway, gateway.client("student") as student:
        async with student.stream("GET", FILE) as first:
            assert first.headers["content-length"] == str(len(data))
            second = await student.get(FILE)
            assert (second.status_code, second.json()["code"]) == (429, "rate_limited")
            assert int(second.headers["retry-after"]) >= 1
            assert await first.aread() == data
        assert (await student.get(FILE)).content == data


async def test_uploads_have_a_rate_of_their_own(run, fakes):
    fakes.answers |= samples.everything()
    async with run(rate_limits=True) as gateway:
        student = gateway.client("student")
        sent = 0
        while (reply := await student.post(STUDENT, data=ONE, files=picture())).status_code == 201:
            sent += 1
        # As many at once, and what came together meanwhile.
        assert 60 <= sent < 200
        assert reply.status_code == 429
        assert int(reply.headers["retry-after"]) >= 1
        assert (await student.get(FILE)).status_code == 200
        await student.aclose()
