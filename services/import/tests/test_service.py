"""The whole service as it is built: real gRPC, RabbitMQ and Postgres; only its neighbours are fakes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import msgspec
import pytest
from examkit import access
from examkit.errors import AppError
from examkit.rpc.client import call, connect, stream
from examkit.testing import TestDatabase
from examprotos.common.v1 import audit_pb2, audit_pb2_grpc
from examprotos.exam.v1 import questions_pb2
from examprotos.grading.v1 import keys_pb2
from examprotos.imports.v1 import content_pb2, content_pb2_grpc, imports_pb2, imports_pb2_grpc
from import_service import bootstrap
from import_service.parser.recognising import MAX_FILE_BYTES
from import_service.rpc.policies import POLICIES
from import_service.settings import Settings

from .fakes import ADMIN_ID, Certificates, FakeVerifier, World
from .makers import many_questions, question_grid, xlsx

SINGLE = questions_pb2.QUESTION_TYPE_SINGLE_CHOICE


class Service:
    def __init__(self, channel: grpc.aio.Channel, verifier: FakeVerifier) -> None:
        self.imports = imports_pb2_grpc.ImportsStub(channel)
        self.content = content_pb2_grpc.ContentStub(channel)
        self.audit = audit_pb2_grpc.AuditLogStub(channel)
        self.verifier = verifier

    async def call(self, method: Any, request: Any, token: str = "admin") -> Any:
        return await call(method, request, timeout=20, token=token)

    async def upload(self, data: bytes, filename: str = "a.xlsx", **options: Any) -> imports_pb2.Job:
        request = imports_pb2.CreateJobRequest(filename=filename, data=data, kind="questions", **options)
        return await self.call(self.imports.CreateJob, request)

    def watch(self, job_id: str) -> AsyncIterator[imports_pb2.Job]:
        return stream(self.imports.WatchJob, imports_pb2.GetJobRequest(id=job_id), timeout=30, token="admin")


@pytest.fixture
async def service(
    monkeypatch: pytest.MonkeyPatch,
    database: TestDatabase,
    rabbitmq_url: str,
    around: World,
    certificates: Certificates,
) -> AsyncIterator[Service]:
    """The service of `bootstrap.build`, with a verifier that needs no auth, and its workers at work."""
    verifier = FakeVerifier()
    monkeypatch.setattr(access, "TokenVerifier", lambda *_: verifier)
    settings = Settings(
        database_url=database.serve_dsn,
        db_schema="import",
        rabbitmq_url=rabbitmq_url,
        tls=certificates("import"),
        auth_target=around.targets["auth"],
        exam_target=around.targets["exam"],
        grading_target=around.targets["grading"],
    )
    async with bootstrap.build(settings) as app:
        assert app.rpc_server is not None
        port = await app.rpc_server.start()
        tasks = [asyncio.create_task(worker.run()) for worker in app.workers]
        channel = connect(f"127.0.0.1:{port}", server="import", tls=certificates("gateway-staff"))
        yield Service(channel, verifier)
        await channel.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.rpc_server.stop(0)


async def test_an_upload_is_imported_and_can_be_watched(service: Service, around: World) -> None:
    job = await service.upload(xlsx(many_questions(1200)), "../etc/My questions.xlsx")
    assert (job.filename, job.kind, job.on_error) == ("My questions.xlsx", "questions", "reject_file")
    assert job.created_by == str(ADMIN_ID)
    seen = [one async for one in service.watch(job.id)]
    assert seen[-1].status == "completed"
    assert (seen[-1].imported, seen[-1].processed_rows, seen[-1].total_rows) == (1200, 1200, 1200)
    assert [one.processed_rows for one in seen] == sorted(one.processed_rows for one in seen)
    assert len(around.exam.versions) == 1200
    assert (await service.call(service.imports.GetJob, imports_pb2.GetJobRequest(id=job.id))) == seen[-1]
    assert [one.status async for one in service.watch(job.id)] == ["completed"]


async def test_the_largest_file_arrives(service: Service) -> None:
    data = b"type,question,correct\n" + b"x" * (MAX_FILE_BYTES - 22)
    assert (await service.upload(data, "a.csv")).status in {"queued", "running"}
    with pytest.raises(AppError) as refused:
        await service.upload(data + b"x", "a.csv")
    assert (refused.value.kind.http_status, refused.value.code) == (413, "too_large")


async def test_errors_of_rows_and_of_files(service: Service) -> None:
    job = await service.upload(xlsx(many_questions(3, bad=(1,))))
    *_, ended = [one async for one in service.watch(job.id)]
    assert (ended.status, ended.failure_code, ended.error_count) == ("failed", "rows_invalid", 1)
    assert [(e.row, e.column, e.code) for e in ended.errors] == [(3, "correct", "unknown_option")]
    book = await service.call(service.imports.GetErrorWorkbook, imports_pb2.GetJobRequest(id=job.id))
    assert book.data.startswith(b"PK")
    job = await service.upload(xlsx(many_questions(3)), "a.xlsm")
    *_, ended = [one async for one in service.watch(job.id)]
    assert (ended.status, ended.failure_code, ended.total_rows) == ("failed", "macros", 0)
    assert ended.failure_detail


async def test_failed_rows_come_with_what_was_read_of_them(service: Service) -> None:
    long = {"question": "Q" * 400, "correct": "H"}
    grid = question_grid({}, {"question": "Where?", "correct": "H"}, long)
    job = await service.upload(xlsx(grid), dry_run=True)
    _ = [one async for one in service.watch(job.id)]
    request = imports_pb2.ListFailedRowsRequest(job_id=job.id, limit=1)
    first = await service.call(service.imports.ListFailedRows, request)
    (row,) = first.items
    cells = [(cell.column, cell.text) for cell in row.cells]
    assert (row.row, cells[:2], dict(cells)["correct"]) == (
        3,
        [("type", "single_choice"), ("question", "Where?")],
        "H",
    )
    assert "explanation" not in dict(cells)
    assert [(error.column, error.code) for error in row.errors] == [("correct", "unknown_option")]
    request.cursor = first.next_cursor
    last = await service.call(service.imports.ListFailedRows, request)
    assert (last.items[0].row, last.items[0].cells[1].text) == (4, "Q" * 299 + "…")
    assert not last.next_cursor
    request.cursor = "bm90IG91cnM"
    with pytest.raises(AppError) as refused:
        await service.call(service.imports.ListFailedRows, request)
    assert refused.value.kind.http_status == 422


async def test_failed_rows_of_people_show_no_passwords(service: Service) -> None:
    grid = [["email", "name", "password", "secret"], ["no address", "Ada", "hunter2 hunter2", "hunter3"]]
    job = await service.call(
        service.imports.CreateJob,
        imports_pb2.CreateJobRequest(filename="a.xlsx", data=xlsx(grid), kind="users", dry_run=True),
    )
    _ = [one async for one in service.watch(job.id)]
    found = await service.call(
        service.imports.ListFailedRows, imports_pb2.ListFailedRowsRequest(job_id=job.id)
    )
    assert [[cell.text for cell in row.cells] for row in found.items] == [["no address", "Ada"]]


async def test_what_is_wrong_with_a_request_is_said(service: Service) -> None:
    good = xlsx(question_grid({}))
    request = imports_pb2.CreateJobRequest
    for wrong, status, code in (
        (request(filename="a.pdf", data=b"%PDF", kind="questions"), 415, "unsupported"),
        (request(filename="a.xlsx", data=b"", kind="questions"), 415, "unsupported"),
        (request(filename="a.xlsx", data=good, kind="people"), 422, "invalid"),
        (request(filename="a.xlsx", data=good, kind="users", on_error="ignore"), 422, "invalid"),
    ):
        with pytest.raises(AppError) as refused:
            await service.call(service.imports.CreateJob, wrong)
        assert (refused.value.kind.http_status, refused.value.code) == (status, code)
    for job_id in ("nonsense", "01890000-0000-7000-8000-000000000000"):
        for method in ("GetJob", "GetErrorWorkbook"):
            with pytest.raises(AppError) as refused:
                await service.call(getattr(service.imports, method), imports_pb2.GetJobRequest(id=job_id))
            assert refused.value.code == "not_found"
        with pytest.raises(AppError) as refused:
            await service.call(
                service.imports.ListFailedRows, imports_pb2.ListFailedRowsRequest(job_id=job_id)
            )
        assert refused.value.code == "not_found"
        with pytest.raises(AppError) as refused:
            _ = [one async for one in service.watch(job_id)]
        assert refused.value.code == "not_found"


async def test_only_staff_with_the_role_of_an_admin_may_call(
    service: Service, certificates: Certificates
) -> None:
    listing = imports_pb2.ListJobsRequest()
    for token, code in (("student", "forbidden"), ("", "unauthenticated"), ("forged", "unauthenticated")):
        with pytest.raises(AppError) as refused:
            await service.call(service.imports.ListJobs, listing, token=token)
        assert refused.value.code == code
    assert set(POLICIES) == {
        "examhall.imports.v1.Imports",
        "examhall.imports.v1.Content",
        "examhall.common.v1.AuditLog",
    }


async def test_a_stream_ends_with_the_token(service: Service, around: World) -> None:
    around.grading.gate = asyncio.Event()
    job = await service.upload(xlsx(many_questions(3)))
    watching = service.watch(job.id)
    await anext(watching)
    service.verifier.ended = True
    with pytest.raises(AppError) as refused:
        _ = [one async for one in watching]
    assert refused.value.code == "unauthenticated"
    service.verifier.ended = False
    around.grading.gate.set()


async def test_jobs_are_listed_page_by_page(service: Service) -> None:
    for n in range(5):
        await service.upload(xlsx(question_grid({"question": f"Q{n}?"})), f"{n}.xlsx")
    names, cursor = [], ""
    while True:
        page = await service.call(
            service.imports.ListJobs, imports_pb2.ListJobsRequest(limit=2, cursor=cursor)
        )
        names += [job.filename for job in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
    assert names == ["4.xlsx", "3.xlsx", "2.xlsx", "1.xlsx", "0.xlsx"]
    with pytest.raises(AppError) as refused:
        await service.call(service.imports.ListJobs, imports_pb2.ListJobsRequest(cursor="WyJ4IiwieSJd"))
    assert refused.value.code == "invalid"
    entries = await service.call(service.audit.List, audit_pb2.ListRequest(action="import.started"))
    assert len(entries.items) == 5


async def test_templates_come_by_kind(service: Service) -> None:
    book = await service.call(service.imports.GetTemplate, imports_pb2.GetTemplateRequest(kind="users"))
    assert book.filename == "users-template.xlsx"
    with pytest.raises(AppError):
        await service.call(service.imports.GetTemplate, imports_pb2.GetTemplateRequest(kind=""))


def put(**changes: Any) -> content_pb2.PutQuestionRequest:
    content = questions_pb2.QuestionContent(
        type=SINGLE,
        text="Which?",
        options=[questions_pb2.Option(id="A", text="x"), questions_pb2.Option(id="B", text="y")],
        points_hundredths=150,
        tags=["t", " t "],
    )
    key = keys_pb2.AnswerKey(choice=keys_pb2.ChoiceKey(correct=["B"]), explanation="Since.")
    request = content_pb2.PutQuestionRequest(content=content, key=key)
    request.MergeFrom(content_pb2.PutQuestionRequest(**changes))
    return request


async def test_one_question_goes_the_same_way(service: Service, around: World) -> None:
    made = await service.call(service.content.PutQuestion, put())
    assert made.version == 1
    assert around.grading.users == [ADMIN_ID]
    stored = around.exam.versions[made.version_id]
    assert (stored.content.points_hundredths, list(stored.content.tags)) == (150, ["t"])
    assert list(around.grading.keys[made.version_id].option_ids) == ["A", "B"]
    edited = await service.call(
        service.content.PutQuestion, put(question_id=made.question_id, expected_version=1)
    )
    assert (edited.question_id, edited.version) == (made.question_id, 2)
    assert edited.version_id != made.version_id
    for changes, status, code in (
        ({"question_id": made.question_id, "expected_version": 1}, 409, "stale_version"),
        ({"question_id": "01890000-0000-7000-8000-000000000000"}, 404, "not_found"),
        ({"question_id": "nonsense"}, 404, "not_found"),
    ):
        with pytest.raises(AppError) as refused:
            await service.call(service.content.PutQuestion, put(**changes))
        assert (refused.value.kind.http_status, refused.value.code) == (status, code)


async def test_media_may_be_as_long_as_exam_takes_them(service: Service, around: World) -> None:
    request = put()
    request.content.media_json = b'["' + b"m" * (16 * 1024 - 4) + b'"]'
    made = await service.call(service.content.PutQuestion, request)
    assert around.exam.versions[made.version_id].content.media_json == request.content.media_json


async def test_media_that_no_page_may_load_are_refused_where_they_stand(
    service: Service, around: World
) -> None:
    request = put()
    request.content.media_json = msgspec.json.encode(
        [
            {"url": "https://example.com/a.png", "alt": "Note: a cell"},
            "http://example.com/a.png",
            {"type": "image", "sources": [{"src": "JavaScript:alert(1)"}]},
        ]
    )
    with pytest.raises(AppError) as refused:
        await service.call(service.content.PutQuestion, request)
    assert (refused.value.kind.http_status, refused.value.code) == (422, "invalid")
    assert [error.loc for error in refused.value.errors] == [("media", 1), ("media", 2)]
    assert around.grading.calls == around.exam.calls == 0


async def test_a_new_question_does_not_take_the_external_id_of_another(
    service: Service, around: World
) -> None:
    request = put()
    request.content.external_id = "q1"
    made = await service.call(service.content.PutQuestion, request)
    with pytest.raises(AppError) as refused:
        await service.call(service.content.PutQuestion, request)
    assert (refused.value.kind.http_status, refused.value.code) == (409, "external_id_taken")
    assert around.exam.current == {made.question_id: 1}


async def test_a_question_with_mistakes_is_refused_field_by_field(service: Service, around: World) -> None:
    wrong = put(key=keys_pb2.AnswerKey(choice=keys_pb2.ChoiceKey(correct=["Z"])))
    wrong.content.text = " "
    wrong.content.options.add(id="B", text="")
    wrong.content.points_hundredths = 0
    wrong.content.external_id = "e" * 201
    numeric = put()
    numeric.content.type = questions_pb2.QUESTION_TYPE_NUMERIC
    del numeric.content.options[:]
    numeric.key.numeric.value = "3,5"
    no_type = put()
    no_type.content.type = questions_pb2.QUESTION_TYPE_UNSPECIFIED
    media = put()
    media.content.media_json = b"{not json"
    long_media = put()
    long_media.content.media_json = b'["' + b"m" * 16 * 1024 + b'"]'
    deep_media = put()
    deep_media.content.media_json = b"[" * 8000 + b"]" * 8000
    nul_media = put()
    nul_media.content.media_json = rb'[{"alt": "\u0000"}]'
    mixed = put()
    mixed.key.true_false.correct = True
    for request, places in (
        (
            wrong,
            {
                ("text",),
                ("points",),
                ("external_id",),
                ("options", 2, "id"),
                ("options", 2, "text"),
                ("key", "correct"),
            },
        ),
        (numeric, {("key", "value")}),
        (no_type, {("type",)}),
        (media, {("media",)}),
        (long_media, {("media",)}),
        (deep_media, {("media",)}),
        (nul_media, {("media",)}),
        (mixed, {("key",)}),
    ):
        with pytest.raises(AppError) as refused:
            await service.call(service.content.PutQuestion, request)
        assert (refused.value.kind.http_status, refused.value.code) == (422, "invalid")
        assert {error.loc for error in refused.value.errors} == places
    assert around.grading.calls == around.exam.calls == 0
