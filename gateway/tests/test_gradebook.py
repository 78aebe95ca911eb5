"""Results as files: complete, named, and never a formula that a student typed."""

import csv
import io
import zipfile

import gateway_samples as samples
import pytest
from examkit.errors import not_found, unavailable
from examprotos.auth.v1 import user_admin_pb2
from examprotos.exam.v1 import invigilation_pb2
from python_calamine import CalamineWorkbook

PATH = f"/api/v1/admin/exams/{samples.EXAM}/results"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAMES = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\N{FULLWIDTH EQUALS SIGN}1"]


@pytest.fixture
def office(fakes):
    """Two pages: a graded attempt with its points, and one that is under way."""
    fakes.answers |= samples.everything()
    running = samples.summary("in_progress")
    running.student_exam_id = samples.JOB
    running.attempt_no = 2
    running.ClearField("closed_at")

    def attempts(request):
        assert request.exam_id == samples.EXAM
        if request.cursor:
            return invigilation_pb2.ListAttemptsResponse(items=[running])
        return invigilation_pb2.ListAttemptsResponse(items=[samples.summary()], next_cursor="more")

    fakes.answers["Invigilation/ListAttempts"] = attempts
    return fakes


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


async def test_all_pages_as_csv(gateway, office):
    reply = await gateway.admin.get(f"{PATH}?format=csv&limit=1")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == f'attachment; filename="results-{samples.EXAM}.csv"'
    assert reply.headers["cache-control"] == "no-store"
    assert reply.content.startswith(b"\xef\xbb\xbf")
    graded, running = rows_of(reply.content.decode("utf-8-sig"))
    assert graded == {
        "student_id": samples.STUDENT,
        "email": "ada@example.com",
        "name": "Ada",
        "attempt_no": "1",
        "status": "submitted",
        "started_at": "2026-05-04T12:00:00Z",
        "submitted_at": "2026-05-04T12:30:00Z",
        "grading": "complete",
        "total_score": "1.25",
        "max_possible": "2.5",
        "percentage": "50.0",
        "pending_count": "0",
        "Q1": "1.25",
    }
    assert (running["status"], running["total_score"], running["Q1"]) == ("in_progress", "", "")
    tokens = {call.token for call in office.calls if call.method == "Invigilation/ListAttempts"}
    assert len(tokens) == 1
    assert tokens != {None}, "later pages are asked for as the same admin"


async def test_the_same_as_a_workbook(gateway, office):
    reply = await gateway.admin.get(f"{PATH}?format=xlsx")
    assert (reply.status_code, reply.headers["content-type"]) == (200, XLSX)
    assert reply.headers["content-disposition"].endswith('.xlsx"')
    header, graded, running = (
        CalamineWorkbook.from_filelike(io.BytesIO(reply.content)).get_sheet_by_index(0).to_python()
    )
    assert header[:3] == ["student_id", "email", "name"]
    assert header[-1] == "Q1"
    assert graded[header.index("percentage")] == 50.0
    assert graded[-1] == 1.25
    assert running[-1] == ""


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_is_a_formula(gateway, office, name):
    person = samples.user()
    person.name = person.email = name
    office.answers["UserAdmin/BatchGetUsers"] = user_admin_pb2.BatchGetUsersResponse(items=[person])
    row = rows_of((await gateway.admin.get(f"{PATH}?format=csv")).content.decode("utf-8-sig"))[0]
    for text in (row["name"], row["email"]):
        assert text.startswith("'")
        assert text.endswith(name.strip())
    book = (await gateway.admin.get(f"{PATH}?format=xlsx")).content
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml")
    assert b"<f" not in sheet.replace(b"<font", b"")


async def test_what_waits_or_does_not_count_is_said(gateway, office):
    grade = samples.full_result()
    grade.items[0].status = "pending"
    grade.items[0].ClearField("score_hundredths")
    office.answers["Marking/BatchGetResults"].items[0].CopyFrom(grade)
    row = rows_of((await gateway.admin.get(f"{PATH}?format=csv")).content.decode("utf-8-sig"))[0]
    assert row["Q1"] == "pending"
    grade.items[0].status, grade.items[0].score_hundredths = "excluded", 0
    office.answers["Marking/BatchGetResults"].items[0].CopyFrom(grade)
    row = rows_of((await gateway.admin.get(f"{PATH}?format=csv")).content.decode("utf-8-sig"))[0]
    assert row["Q1"] == "excluded"


async def test_refused_before_anything_is_sent(gateway, office):
    assert (await gateway.admin.get(f"{PATH}?format=pdf")).status_code == 422
    office.answers["UserAdmin/BatchGetUsers"] = unavailable("Away.")
    assert (await gateway.admin.get(PATH)).status_code == 200
    for kind in ("csv", "xlsx"):
        reply = await gateway.admin.get(f"{PATH}?format={kind}")
        assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    office.answers["Authoring/GetExam"] = not_found("There is no such exam.")
    assert (await gateway.admin.get(f"{PATH}?format=csv")).status_code == 404


async def test_attempts_of_one_status(gateway, office):
    assert (await gateway.admin.get(f"{PATH}?status=expired")).status_code == 200
    assert office.asked("Invigilation/ListAttempts").status == "expired"
    assert (await gateway.admin.get(f"{PATH}?status=gone")).status_code == 422
