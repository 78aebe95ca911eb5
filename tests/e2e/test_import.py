"""Importing through the REST API: real workbooks, wrong ones, the same one twice."""

import asyncio
import csv
import io
import json
import secrets
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.harness.api import Admin, Json
from tests.harness.workbooks import every_type, xlsx

SCIENCE = Path(__file__).parents[1] / "data/questions-science.xlsx"


async def upload(admin: Admin, name: str, data: bytes, **form: str) -> Any:
    body = {"kind": "questions", "dry_run": "false", "on_error": "reject_file"} | form
    return await admin.call("POST", "/admin/imports", files={"file": (name, data)}, data=body)


async def test_a_real_workbook_imports_with_no_row_refused(admin: Admin) -> None:
    job = await admin.import_file(SCIENCE.name, SCIENCE.read_bytes(), "questions")
    assert (job["status"], job["total_rows"], job["errors"]) == ("completed", 2483, [])
    assert job["imported"] + job["updated"] == 2483
    again = await admin.import_file(SCIENCE.name, SCIENCE.read_bytes(), "questions")
    assert again["id"] == job["id"]


async def test_every_wrong_row_is_told_and_nothing_is_imported(admin: Admin) -> None:
    mark = f"Wrong {secrets.token_hex(3)}"
    good = [one.row() for one in every_type(mark)]
    bad = good[0] | {"question": f"{mark} bad", "correct": "G"}
    unknown = good[0] | {"type": "riddle"}
    data = xlsx([*good, bad, unknown])
    job = await admin.import_file("wrong.xlsx", data, "questions")
    assert (job["status"], job["imported"]) == ("failed", 0)
    rows = {(one["row"], one["column"]) for one in job["errors"]}
    assert rows == {(len(good) + 2, "correct"), (len(good) + 3, "type")}
    assert all(one["code"] and one["message"] for one in job["errors"])
    assert await admin.bank(q=mark) == []
    response = await admin.call("GET", f"/admin/imports/{job['id']}/errors.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    assert sheet.max_row == 3
    skipping = await admin.import_file("wrong.xlsx", data, "questions", on_error="skip_rows")
    assert (skipping["status"], skipping["imported"], skipping["skipped"]) == ("completed", len(good), 2)


async def test_a_dry_run_changes_nothing(admin: Admin) -> None:
    mark = f"Dry {secrets.token_hex(3)}"
    data = xlsx(one.row() for one in every_type(mark))
    job = await admin.import_file("dry.xlsx", data, "questions", dry_run="true")
    assert (job["status"], job["total_rows"], job["errors"]) == ("completed", len(every_type(mark)), [])
    assert (job["imported"], job["updated"], job["skipped"]) == (job["total_rows"], 0, 0)
    assert await admin.bank(q=mark) == []


async def test_the_same_file_at_once_is_one_import(admin: Admin) -> None:
    mark = f"Twice {secrets.token_hex(3)}"
    data = xlsx(one.row() for one in every_type(mark))
    answers = await asyncio.gather(*(upload(admin, "twice.xlsx", data) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    (job_id,) = {answer.json()["id"] for answer in answers}
    await admin.import_ended(job_id)
    assert len(await admin.bank(q=mark)) == len(every_type(mark))


async def test_an_external_id_updates_its_question(admin: Admin) -> None:
    mark = secrets.token_hex(3)
    row = every_type(f"First {mark}")[0].row() | {"external_id": f"x-{mark}"}
    await admin.import_file("first.xlsx", xlsx([row]), "questions")
    changed = row | {"question": f"Second {mark}", "correct": "A"}
    job = await admin.import_file("second.xlsx", xlsx([changed]), "questions")
    assert (job["imported"], job["updated"]) == (0, 1)
    (question,) = await admin.bank(q=mark)
    assert (question["text"], question["version"], question["key"]) == (
        f"Second {mark}", 2, {"correct": ["A"]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("photo.png", b"\x89PNG\r\n\x1a\n" + b"0" * 100, 415),
        ("empty.xlsx", b"", 415),
        ("noise.xlsx", b"PK\x03\x04" + b"\x00" * 64, 415),
        ("big.xlsx", b"PK\x03\x04" + b"\x00" * (24 * 1024 * 1024), 413),
    ],
    ids=["picture", "empty", "broken zip", "too large"],
)
async def test_what_is_no_workbook_is_refused(admin: Admin, name: str, data: bytes, status: int) -> None:
    answer = await upload(admin, name, data)
    if answer.status_code == 202:
        job = await admin.import_ended(answer.json()["id"])
        assert job["status"] == "failed"
    else:
        assert answer.status_code in (status, 422), answer.text
        assert answer.json()["detail"]


async def test_students_are_imported_and_staff_is_left_alone(admin: Admin) -> None:
    mark = secrets.token_hex(3)
    rows = [
        ["email", "name", "groups", "password"],
        [f"new-{mark}@example.com", "New Student", "10a, choir", "a-good-password"],
        ["admin@example.com", "Somebody Else", "", "another-password"],
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";").writerows(rows)
    data = buffer.getvalue().encode("utf-16")
    job = await admin.import_file("class.csv", data, "users", on_error="skip_rows")
    assert (job["status"], job["imported"]) == ("completed", 1), job
    (user,) = (await admin.ok("GET", "/admin/users", params={"q": f"new-{mark}"}))["items"]
    assert (user["role"], sorted(user["groups"])) == ("student", ["10a", "choir"])
    me = await admin.ok("GET", "/auth/me")
    assert (me["role"], me["name"]) != ("student", "Somebody Else")
    fresh = Admin(admin.http)
    await fresh.login(f"new-{mark}@example.com", "a-good-password")
    assert fresh.user["role"] == "student"


@pytest.mark.parametrize("kind", ["questions", "users"])
async def test_the_template_is_a_workbook_that_imports(admin: Admin, kind: str) -> None:
    response = await admin.call("GET", "/admin/imports/template.xlsx", params={"kind": kind})
    assert response.status_code == 200
    job: Json = await admin.import_file("template.xlsx", response.content, kind, dry_run="true")
    assert (job["status"], job["errors"]) == ("completed", [])
    assert job["total_rows"] >= 1


async def test_progress_is_streamed(admin: Admin) -> None:
    data = xlsx(one.row() for one in every_type(f"Stream {secrets.token_hex(3)}"))
    job = (await upload(admin, "stream.xlsx", data)).json()
    headers = {"Authorization": f"Bearer {admin.token}"}
    seen: list[Json] = []
    path = f"/api/v1/admin/imports/{job['id']}/events"
    async with admin.http.stream("GET", path, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                seen.append(json.loads(line.removeprefix("data:")))
    assert seen[-1]["status"] == "completed"
