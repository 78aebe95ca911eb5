"""Pictures through the whole system: as answers, and in questions."""

import uuid
from io import BytesIO
from typing import Any

from PIL import Image

from tests.conftest import Class
from tests.harness.api import Admin, Json, Student


def photo(kind: str = "JPEG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (640, 480), "white").save(out, kind)
    return out.getvalue()


def upload(attempt: Json, data: bytes, question: int = 0) -> dict[str, Any]:
    """What a page sends; the name and the type are the browser's word and count for nothing."""
    form = {
        "student_exam_id": attempt["student_exam_id"],
        "question_id": attempt["questions"][question]["id"],
    }
    return {"data": form, "files": {"file": ("photo.pdf", data, "application/pdf")}}


async def drawing_exam(admin: Admin, **more: Any) -> str:
    draw = {"type": "image", "text": "Draw a cell.", **more}
    write = {"type": "text", "text": "Describe it."}
    made = [(await admin.ok("POST", "/admin/questions", json=each))["id"] for each in (draw, write)]
    return await admin.exam(made, shuffle_questions=False)


async def sees(caller: Student | Admin, file_id: str) -> bytes:
    reply = await caller.call("GET", f"/files/{file_id}")
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "private, no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    return reply.content


async def test_a_picture_as_an_answer(admin: Admin, students: Class) -> None:
    owner, thief = await students(2)
    exam_id = await drawing_exam(admin)
    attempt, other = await owner.start(exam_id), await thief.start(exam_id)
    question = attempt["questions"][0]["id"]
    added = await owner.call("POST", "/student/files", **upload(attempt, photo()))
    assert added.status_code == 201, added.text
    file_id = added.json()["file_id"]
    assert (await owner.save(attempt, question, file_id, revision=1))["outcome"] == "stored"
    resumed = await owner.ok("GET", f"/student/resume/{exam_id}")
    assert resumed["saved_answers"][question]["answer"] == file_id

    for caller in (owner, admin):
        assert Image.open(BytesIO(await sees(caller, file_id))).size == (640, 480)
    await thief.fails(404, "not_found", "GET", f"/files/{file_id}")
    await thief.fails(404, "not_found", "POST", "/student/files", **upload(attempt, photo()))
    body = {"student_exam_id": other["student_exam_id"], "question_id": question, "answer": file_id}
    await thief.fails(422, "invalid", "POST", "/student/save-answer", json=body)

    submitted = await owner.submit(attempt)
    assert (submitted["pending_count"], submitted["rejected"]) == (1, [])
    (queued,) = [
        one
        for one in (await admin.ok("GET", "/admin/grading/queue", params={"exam_id": exam_id}))["items"]
        if one["question_id"] == question
    ]
    assert queued["answer"] == file_id
    late = upload(attempt, photo())
    await owner.fails(409, "already_submitted", "POST", "/student/files", **late)


async def test_what_is_no_picture_is_told_so(admin: Admin, students: Class) -> None:
    (student,) = await students(1)
    attempt = await student.start(await drawing_exam(admin))
    for status, code, sent in (
        (415, "unsupported", upload(attempt, b"<svg xmlns='http://www.w3.org/2000/svg'/>")),
        (415, "unsupported", upload(attempt, photo("BMP"))),
        (422, "invalid", upload(attempt, photo()[:500])),
        (422, "invalid", upload(attempt, photo(), question=1)),
        (413, "too_large", upload(attempt, b"\xff" * (10 * 1024 * 1024 + 1))),
        (413, "too_large", upload(attempt, b"\xff" * (12 * 1024 * 1024))),
    ):
        problem = await student.fails(status, code, "POST", "/student/files", **sent)
        assert len(problem["detail"]) > 20


async def test_a_picture_in_a_question(admin: Admin, students: Class) -> None:
    sitting, other = await students(2)
    added = await admin.call("POST", "/admin/files", files={"file": ("cell", photo("PNG"), "text/plain")})
    assert added.status_code == 201, added.text
    file_id = added.json()["file_id"]
    media = [{"file_id": file_id, "alt": "A cell"}]
    await sitting.fails(404, "not_found", "GET", f"/files/{file_id}")
    attempt = await sitting.start(await drawing_exam(admin, media=media))
    assert attempt["questions"][0]["media"] == media
    assert await sees(sitting, file_id) == await sees(admin, file_id)
    await other.fails(404, "not_found", "GET", f"/files/{file_id}")
    missing = {"type": "text", "text": "Why?", "media": [{"file_id": str(uuid.uuid4()), "alt": ""}]}
    problem = await admin.fails(422, "invalid", "POST", "/admin/questions", json=missing)
    assert "upload it first" in str(problem)
