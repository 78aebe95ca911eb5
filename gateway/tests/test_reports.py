"""What pages report is counted and logged, without what is personal, and never too much of it."""

import gateway_samples as samples
import pytest
from exam_gateway.reports import frames_of, without_persons
from prometheus_client import REGISTRY, generate_latest
from structlog.testing import capture_logs

REPORTS = "/api/v1/client/reports"
ERROR = {"kind": "script", "message": "x is undefined", "page": "/exams/", "at": "2026-05-04T09:12:30Z"}


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_numbers_are_counted(gateway):
    names = ("examhall_client_oldest_unsaved_seconds", "examhall_client_page_load_seconds")
    before = [(value(f"{name}_count"), value(f"{name}_sum")) for name in names]
    body = {"oldest_unsaved_seconds": 12.5, "page_load_ms": 250, "version": "0.2.0+a1"}
    for client in (gateway.student, gateway.admin):
        reply = await client.post(REPORTS, json=body)
        assert (reply.status_code, reply.json()) == (202, {"success": True})
    after = [(value(f"{name}_count"), value(f"{name}_sum")) for name in names]
    told = [(count - old, total - older) for (count, total), (old, older) in zip(after, before, strict=True)]
    assert told == [(2, 25.0), (2, 0.5)]


async def test_errors_are_counted_by_kind_and_logged(gateway):
    before = value("examhall_client_errors_total", kind="storage")
    error = ERROR | {
        "kind": "storage",
        "message": f"No room for {samples.STUDENT}",
        "stack": "Error: my essay says so\n    at save (https://exams.example.org/_next/static/a.js?v=1:7:12)",
        "page": f"https://exams.example.org/exams/{samples.EXAM}/?token=secret#x",
    }
    with capture_logs() as lines:
        reply = await gateway.student.post(REPORTS, json={"errors": [error], "version": "0.2.0"})
    assert reply.status_code == 202
    (line,) = lines
    assert (line["event"], line["kind"], line["version"]) == ("page_error", "storage", "0.2.0")
    assert line["message"] == "No room for …"
    assert line["frames"] == ["save /_next/static/a.js:7:12"]
    assert line["page"] == "/exams/…/"
    for personal in (samples.STUDENT, samples.EXAM, "secret", "essay"):
        assert personal not in str(lines)
    assert value("examhall_client_errors_total", kind="storage") == before + 1
    assert samples.EXAM.encode() not in generate_latest(REGISTRY)


@pytest.mark.parametrize(
    ("message", "logged"),
    [
        ("x is undefined", "x is undefined"),
        ("Can't read properties of null", "Can't read properties of null"),
        ("""Unexpected 'M' in "My answer is 42" at 0""", "Unexpected … in … at 0"),
        ("undefined (reading 'essay')", "undefined (reading …)"),
        ('cut off "in the middle of an answ', "cut off …"),
        ("of eva@example.com", "of …"),
        ("Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "Bearer …"),
        ("GET /api/v1/student/exams?cursor=abc failed", "GET /api/v1/student/exams… failed"),
        (f"attempt {samples.ATTEMPT} is gone", "attempt … is gone"),
        ("long " * 100, ("long " * 100)[:200]),
    ],
)
def test_messages_name_nobody(message, logged):
    assert without_persons(message) == logged


def test_of_a_stack_the_places_are_kept():
    chromium = "TypeError: the answer\n  of a student\n    at https://a.example/x.js:1:2\n    at f (http://a/y.js:3:4)"
    firefox = "g@https://a.example/x.js?q=1:5:6\n@https://a.example/y.js:7:8\nan answer"
    assert frames_of(chromium) == ["/x.js:1:2", "f /y.js:3:4"]
    assert frames_of(firefox) == ["g /x.js:5:6", "/y.js:7:8"]
    assert len(frames_of("f@https://a/x.js:1:2\n" * 99)) == 20
    # One pattern for all of a line took 0.2 s for each of these: a report of many stopped the process.
    assert frames_of(("at" + " " * 490 + "!\n") * 16) == []


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [ERROR] * 21},
        {"errors": [ERROR | {"kind": "mood"}]},
        {"errors": [ERROR | {"message": "x" * 2001}]},
        {"errors": [ERROR | {"answer": "42"}]},
        {"oldest_unsaved_seconds": -1},
        {"oldest_unsaved_seconds": 1e9},
        {"version": "a b"},
        {"student_id": samples.STUDENT},
        [],
    ],
)
async def test_what_is_no_report_is_refused(gateway, body):
    reply = await gateway.student.post(REPORTS, json=body)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid")


async def test_who_may_report_and_how_often(gateway, run):
    assert (await gateway.anonymous.post(REPORTS, json={})).status_code == 401
    assert (await gateway.student.post(REPORTS, content=b"x" * 300_000)).status_code == 413
    async with run(rate_limits=True) as limited:
        statuses = [(await limited.student.post(REPORTS, json={})).status_code for _ in range(20)]
        assert statuses == [202] * 20
        for _ in range(20):
            reply = await limited.student.post(REPORTS, json={})
            if reply.status_code == 429:
                break
        assert reply.status_code == 429
        assert (await limited.admin.post(REPORTS, json={})).status_code == 202
