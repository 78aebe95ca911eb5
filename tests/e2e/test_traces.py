"""What leaves the installation: one trace from a browser's request to the grade, and faults without names."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from examkit.testing.sentry import SentryReceiver, sentry_receiver
from examkit.testing.waiting import eventually

from tests.harness.api import ADMIN, STUDENT_PASSWORD, Admin, Json, Student
from tests.harness.collector import Collector, Seen, collecting
from tests.harness.oracle import Authored
from tests.harness.system import System
from tests.harness.workbooks import xlsx

ATTEMPTS, RESULTS = "examhall.exam.v1.Attempts", "examhall.grading.v1.Results"
CLOSED, GRADED = "examhall.exam.attempt.closed.v1", "examhall.grading.attempt.graded.v1"
UNSAMPLED_RATIO = "0"


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def sentry() -> Iterator[SentryReceiver]:
    with sentry_receiver() as found:
        yield found


@pytest.fixture(scope="module")
async def traced(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector, sentry: SentryReceiver
) -> AsyncIterator[System]:
    """A copy that records what callers ask for, and nothing of its own accord."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_TRACES_SAMPLER_ARG": UNSAMPLED_RATIO,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "SENTRY_DSN": sentry.dsn,
    }
    copy = System(Path(tmp_path_factory.mktemp("traced")) / "state", settings)
    await asyncio.to_thread(copy.up)
    yield copy
    await asyncio.to_thread(copy.down)


@pytest.fixture(scope="module")
async def attempt(traced: System) -> AsyncIterator[tuple[Student, Json]]:
    """A student, and an attempt at an exam of one question."""
    async with httpx.AsyncClient(base_url=traced.url, timeout=30) as http:
        admin, student = Admin(http), Student(http)
        await admin.login(*ADMIN)
        question = Authored("true_false", "Is it so?", right=True)
        await admin.import_file("one.xlsx", xlsx([question.row()]), "questions")
        (stored,) = await admin.bank(q="Is it so?")
        exam_id = await admin.exam([stored["id"]])
        await student.login("student001@example.com", STUDENT_PASSWORD)
        yield student, await student.ok("POST", f"/student/start/{exam_id}")


BROWSER = "5" * 16
"""The span that a page began."""


def headers(trace: str) -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{BROWSER}-01"}


def path_to(spans: list[Seen], name: str) -> list[str]:
    """The names from the root to this span."""
    by_id = {one.id: one for one in spans}
    here = next(one for one in spans if one.name == name)
    names = [here.name]
    while here.parent in by_id:
        here = by_id[here.parent]
        names.append(here.name)
    assert here.parent == BROWSER, "the root hangs on the browser's"
    return names[::-1]


async def arrived(collector: Collector, trace: str, *names: str) -> list[Seen]:
    """The spans of a trace once these are there, and what each hangs on: every process sends its own."""

    def complete() -> bool:
        spans = collector.trace(trace)
        known = {one.id for one in spans} | {BROWSER}
        return {one.name for one in spans} >= set(names) and {one.parent for one in spans} <= known

    await eventually(complete, timeout=30)
    return collector.trace(trace)


async def test_a_submit_can_be_followed_to_its_grade(
    collector: Collector, attempt: tuple[Student, Json]
) -> None:
    student, begun = attempt
    save, submit = secrets.token_hex(16), secrets.token_hex(16)
    one = {"student_exam_id": begun["student_exam_id"], "question_id": begun["questions"][0]["id"]}
    await student.ok("POST", "/student/save-answer", json=one | {"answer": "true"}, headers=headers(save))
    body = {"student_exam_id": begun["student_exam_id"]}
    await student.ok("POST", "/student/submit", json=body, headers=headers(submit))

    told = f"exam: consume {GRADED}"
    spans = await arrived(collector, submit, told, f"grading: {RESULTS}/Await")
    submitted = f"{ATTEMPTS}/Submit"
    request = ["gateway: POST /api/v1/student/submit", f"gateway: {submitted}", f"exam: {submitted}"]
    grade = [*request, f"exam: publish {CLOSED}", f"grading: consume {CLOSED}"]
    assert path_to(spans, f"grading: consume {CLOSED}") == grade
    assert path_to(spans, told) == [*grade, f"grading: publish {GRADED}", told]
    assert path_to(spans, "exam: batch of submits") == [*request, "exam: batch of submits"]
    assert path_to(spans, f"grading: {RESULTS}/Await")[0] == request[0]

    stored = f"exam: {ATTEMPTS}/SaveBatch"
    assert path_to(await arrived(collector, save, stored), stored) == [
        "gateway: POST /api/v1/student/save-answer",
        "gateway: batch of saves",
        f"gateway: {ATTEMPTS}/SaveBatch",
        stored,
    ]


async def test_a_slow_bucket_names_a_trace(traced: System, attempt: tuple[Student, Json]) -> None:
    student, _ = attempt
    trace = secrets.token_hex(16)
    await student.ok("GET", "/student/exams", headers=headers(trace))
    state = traced.state()
    async with httpx.AsyncClient(headers={"Accept": "application/openmetrics-text"}) as scraper:
        for process in (state["gateway"], state["services"]["exam"]):
            assert f'# {{trace_id="{trace}"}}' in (await scraper.get(f"{process['ops_url']}/metrics")).text


async def test_spans_hold_nothing_that_names_somebody(
    collector: Collector, attempt: tuple[Student, Json]
) -> None:
    student, begun = attempt
    trace = secrets.token_hex(16)
    body = {"student_exam_id": begun["student_exam_id"]}
    await student.call("POST", "/student/submit", json=body, headers=headers(trace))
    spans = await arrived(collector, trace, f"exam: {ATTEMPTS}/Submit")
    text = "\n".join(str(one.span) for one in spans)
    for hidden in (begun["student_exam_id"], student.user["id"], student.user["email"], student.token):
        assert hidden not in text


async def test_what_nobody_asked_for_is_not_recorded(
    collector: Collector, attempt: tuple[Student, Json]
) -> None:
    student, _ = attempt
    asked, trace = secrets.token_hex(16), secrets.token_hex(16)
    await student.ok("GET", "/student/exams", headers={"traceparent": f"00-{trace}-{BROWSER}-00"})
    await student.ok("GET", "/student/exams")
    await student.ok("GET", "/student/exams", headers=headers(asked))
    await arrived(collector, asked, "gateway: GET /api/v1/student/exams")
    assert {one.span.parent_span_id.hex() == "" for one in collector.seen} == {False}
    assert collector.trace(trace) == []


async def test_a_fault_of_a_page_is_told_without_saying_whose(
    sentry: SentryReceiver, attempt: tuple[Student, Json]
) -> None:
    student, begun = attempt
    stack = (
        "TypeError: my essay\n at inner (https://a.example/x.js:1:2)\n at outer (https://a.example/y.js:3:4)"
    )
    error = {"kind": "render", "message": 'No "essay" of eva@example.com', "stack": stack}
    page = {"page": f"/exams/{begun['exam']['id']}/", "at": "2026-05-04T09:12:30Z"}
    await student.ok("POST", "/client/reports", json={"errors": [error | page], "version": "0.2.0"})
    await eventually(lambda: bool(sentry.events))
    (event,) = sentry.events
    assert (event["message"], event["server_name"]) == ("No … of …", "gateway")
    assert event["tags"] == {"service": "gateway", "kind": "render", "page": "/exams/…/", "version": "0.2.0"}
    assert len(event["user"]["id"]) == 16
    (raised,) = event["exception"]["values"]
    assert [frame["function"] for frame in raised["stacktrace"]["frames"]] == ["outer", "inner"]
    for hidden in (student.user["id"], begun["exam"]["id"], "essay", "eva@", student.token):
        assert hidden not in "".join(sentry.raw)
