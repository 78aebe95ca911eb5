"""The gradebook as a file, with a student who would like to be a formula."""

import csv
import io
import secrets

import httpx
from python_calamine import CalamineWorkbook

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Student
from tests.harness.system import System

FORMULA = '=HYPERLINK("https://example.com","me")'


async def test_results_as_files(system: System, admin: Admin, students: Class, bank: Bank) -> None:
    (usual,) = await students(1)
    password = secrets.token_urlsafe(16)
    account = {"email": f"f{secrets.token_hex(4)}@example.com", "name": FORMULA, "password": password}
    await admin.ok("POST", "/admin/users", json=account)
    exam_id = await admin.exam(bank[1])
    async with httpx.AsyncClient(base_url=system.url, timeout=30) as line:
        odd = Student(line)
        await odd.login(account["email"], password)
        attempt = await odd.start(exam_id)
        essay = next(one["id"] for one in attempt["questions"] if one["type"] == "text")
        await odd.submit(attempt, [{"question_id": essay, "answer": "=1+1"}])
        await odd.graded(attempt)
    await usual.start(exam_id)
    path = f"/admin/exams/{exam_id}/results"
    listed = {one["student_email"]: one for one in (await admin.ok("GET", path))["items"]}

    reply = await admin.call("GET", path, params={"format": "csv"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    rows = {row["email"]: row for row in csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig")))}
    assert rows.keys() == listed.keys()
    mine = rows[account["email"]]
    assert (mine["name"], mine["status"], mine["pending_count"]) == (f"'{FORMULA}", "submitted", "1")
    assert float(mine["max_possible"]) == listed[account["email"]]["max_possible"]
    points = [mine[f"Q{place}"] for place in range(1, len(bank[1]) + 1)]
    assert sorted(points) == ["0.0"] * (len(points) - 1) + ["pending"]
    assert points[bank[1].index(essay)] == "pending", "in the order of the paper"
    assert (rows[usual.user["email"]]["status"], rows[usual.user["email"]]["Q1"]) == ("in_progress", "")

    reply = await admin.call("GET", path, params={"format": "xlsx"})
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(reply.content)).get_sheet_by_index(0).to_python()
    names = [row[sheet[0].index("name")] for row in sheet[1:]]
    assert sorted(names) == sorted([FORMULA, usual.user["name"]])
