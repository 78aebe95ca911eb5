"""Authoring and ContentStore over real gRPC with mutual TLS: conversions, errors, and who may call."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from exam_service.grading_papers import GradingPapers
from exam_service.rpc.authoring import AuthoringServicer
from exam_service.rpc.content_store import ContentStoreServicer
from exam_service.rpc.policies import POLICIES
from examkit.db import Database
from examkit.errors import AppError, unauthenticated
from examkit.ids import uuid7
from examkit.principal import Principal
from examkit.rpc.client import call, connect
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examprotos.exam.v1 import (
    authoring_pb2,
    authoring_pb2_grpc,
    content_store_pb2,
    content_store_pb2_grpc,
    exams_pb2,
    questions_pb2,
)
from examprotos.grading.v1 import keys_pb2, keys_pb2_grpc
from google.protobuf.field_mask_pb2 import FieldMask

from .builders import rows

Certificates = Callable[[str], TlsFiles]
ADMIN = UUID("01890000-0000-7000-8000-0000000000ad")


class Tokens:
    """A verifier that knows the words `admin` and `student`."""

    async def verify(self, token: str) -> Principal:
        if token not in {"admin", "student"}:
            raise unauthenticated("Who are you?")
        return Principal(ADMIN, token, frozenset(), uuid7(), 1, 4e9)


class GradingServicer(keys_pb2_grpc.PapersServicer):
    """Grading, as another process would be."""

    def __init__(self) -> None:
        self.asked: list[keys_pb2.FreezePaperRequest] = []
        self.missing: list[str] = []

    async def FreezePaper(  # type: ignore[override]
        self, request: keys_pb2.FreezePaperRequest, context: object
    ) -> keys_pb2.FreezePaperResponse:
        self.asked.append(request)
        return keys_pb2.FreezePaperResponse(missing_question_ids=self.missing)


@dataclass
class Service:
    """Exam and grading, running, with a stub for staff and one for import."""

    authoring: authoring_pb2_grpc.AuthoringStub
    store: content_store_pb2_grpc.ContentStoreStub
    grading: GradingServicer
    grading_server: RpcServer
    target: str

    async def author(self, method: str, request: object, token: str = "admin"):  # type: ignore[no-untyped-def]
        return await call(getattr(self.authoring, method), request, timeout=20, token=token)

    async def put(self, *items: content_store_pb2.PutQuestion, on_behalf_of: str = ""):  # type: ignore[no-untyped-def]
        request = content_store_pb2.PutQuestionsRequest(items=items, on_behalf_of=on_behalf_of)
        return (await call(self.store.PutQuestions, request, timeout=20)).outcomes

    async def check(self, *items: content_store_pb2.PutQuestion):  # type: ignore[no-untyped-def]
        request = content_store_pb2.PutQuestionsRequest(items=items)
        return (await call(self.store.CheckQuestions, request, timeout=20)).outcomes


@asynccontextmanager
async def serving(db: Database, certificates: Certificates) -> AsyncIterator[Service]:
    grading = GradingServicer()
    papers_policy = {"examhall.grading.v1.Papers": allow("exam")}
    grading_server = RpcServer("127.0.0.1:0", certificates("grading"), papers_policy, Tokens())
    keys_pb2_grpc.add_PapersServicer_to_server(grading, grading_server.grpc)
    port = await grading_server.start()
    to_grading = connect(f"127.0.0.1:{port}", server="grading", tls=certificates("exam"))
    server = RpcServer("127.0.0.1:0", certificates("exam"), POLICIES, Tokens())
    authoring = AuthoringServicer(db, GradingPapers(to_grading))
    authoring_pb2_grpc.add_AuthoringServicer_to_server(authoring, server.grpc)
    content_store_pb2_grpc.add_ContentStoreServicer_to_server(ContentStoreServicer(db), server.grpc)
    target = f"127.0.0.1:{await server.start()}"
    staff = connect(target, server="exam", tls=certificates("gateway-staff"))
    importer = connect(target, server="exam", tls=certificates("import"))
    try:
        yield Service(
            authoring_pb2_grpc.AuthoringStub(staff),
            content_store_pb2_grpc.ContentStoreStub(importer),
            grading,
            grading_server,
            target,
        )
    finally:
        for channel in (staff, importer, to_grading):
            await channel.close()
        await server.stop(0)
        await grading_server.stop(0)


@pytest.fixture
async def service(db: Database, certificates: Certificates) -> AsyncIterator[Service]:
    async with serving(db, certificates) as running:
        yield running


def offered(text: str = "a < b?", **changes: object) -> content_store_pb2.PutQuestion:
    content = questions_pb2.QuestionContent(
        type=questions_pb2.QUESTION_TYPE_SINGLE_CHOICE,
        text=text,
        options=[questions_pb2.Option(id=letter, text=f"{letter}!") for letter in "AB"],
        points_hundredths=150,
        tags=[" t ", "t", "u"],
        media_json=b'[{"file_id": "x"}]',
    )
    return content_store_pb2.PutQuestion(**({"version_id": str(uuid7()), "content": content} | changes))  # type: ignore[arg-type]


async def refusal(awaited) -> AppError:  # type: ignore[no-untyped-def]
    with pytest.raises(AppError) as failure:
        await awaited
    return failure.value


async def test_from_a_question_to_a_published_exam(service: Service, db: Database) -> None:
    (outcome,) = await service.put(offered(), on_behalf_of=str(ADMIN))
    assert (outcome.outcome, outcome.version) == ("created", 1)
    question = await service.author("GetQuestion", authoring_pb2.GetQuestionRequest(id=outcome.question_id))
    assert (question.content.text, list(question.content.tags)) == ("a < b?", ["t", "u"])
    settings = exams_pb2.ExamSettings(
        title=" Physics ", duration_minutes=60, shuffle_options=True, scoring={"wrong_penalty": "0.25"}
    )
    exam = await service.author("CreateExam", authoring_pb2.CreateExamRequest(settings=settings))
    assert exam.settings.title == "Physics"
    assert exam.settings.result_policy == exams_pb2.RESULT_POLICY_IMMEDIATE
    assert exam.roster.all
    chosen = exams_pb2.ExamQuestion(question_id=question.id, points_hundredths=400)
    exam = await service.author(
        "SetExamQuestions", authoring_pb2.SetExamQuestionsRequest(id=exam.id, questions=[chosen])
    )
    assert (exam.question_count, exam.max_possible_hundredths) == (1, 400)
    assert list(exam.questions) == [chosen]
    exam = await service.author("PublishExam", authoring_pb2.PublishExamRequest(id=exam.id))
    assert exam.status == exams_pb2.EXAM_STATUS_PUBLISHED
    (asked,) = service.grading.asked
    assert (asked.exam_id, asked.scoring.wrong_penalty) == (exam.id, "0.25")
    (frozen,) = asked.questions
    assert (frozen.version_id, list(frozen.option_ids), frozen.points_hundredths, frozen.order) == (
        question.version_id,
        ["A", "B"],
        400,
        1,
    )
    paper = await service.author("GetPaper", authoring_pb2.GetPaperRequest(exam_id=exam.id))
    assert paper.questions[0].content.media_json == b'[{"file_id":"x"}]'
    listed = await service.author("ListExams", authoring_pb2.ListExamsRequest(q="PHYS"))
    assert [item.id for item in listed.items] == [exam.id]
    closed = await service.author("CloseExam", authoring_pb2.CloseExamRequest(id=exam.id))
    assert closed.status == exams_pb2.EXAM_STATUS_CLOSED
    trail = await rows(db, "SELECT DISTINCT actor_id, actor_kind FROM audit")
    assert trail == [{"actor_id": str(ADMIN), "actor_kind": "user"}]


async def test_a_masked_update_takes_what_the_mask_names_and_clears_what_is_unset(service: Service) -> None:
    settings = exams_pb2.ExamSettings(title="T", duration_minutes=60, description="d", grace_seconds=10)
    settings.end_time.FromDatetime(datetime(2030, 1, 1, tzinfo=UTC))
    exam = await service.author("CreateExam", authoring_pb2.CreateExamRequest(settings=settings))
    update = authoring_pb2.UpdateExamRequest(
        id=exam.id,
        settings=exams_pb2.ExamSettings(title="ignored", scoring={"wrong_penalty": "0.5"}, max_attempts=3),
        mask=FieldMask(paths=["end_time", "scoring.wrong_penalty", "max_attempts", "description"]),
    )
    after = (await service.author("UpdateExam", update)).settings
    assert not after.HasField("end_time")
    assert (after.title, after.description, after.max_attempts, after.grace_seconds) == ("T", "", 3, 10)
    assert after.scoring.wrong_penalty == "0.5"
    nothing = await service.author("UpdateExam", authoring_pb2.UpdateExamRequest(id=exam.id))
    assert nothing.settings == after
    for paths in (["status"], ["wrong_penalty"], ["scoring.title"], ["scoring.x"]):
        wrong = authoring_pb2.UpdateExamRequest(id=exam.id, mask=FieldMask(paths=paths))
        assert (await refusal(service.author("UpdateExam", wrong))).errors[0].loc == (paths[0],)


@pytest.mark.parametrize(
    ("settings", "loc"),
    [
        (exams_pb2.ExamSettings(duration_minutes=60), ["title"]),
        (exams_pb2.ExamSettings(title="T"), ["duration_minutes"]),
        (exams_pb2.ExamSettings(title="T", duration_minutes=60, max_attempts=-1), ["max_attempts"]),
        (
            exams_pb2.ExamSettings(title="T", duration_minutes=60, scoring={"wrong_penalty": "x"}),
            ["scoring", "wrong_penalty"],
        ),
        (
            exams_pb2.ExamSettings(title="T", duration_minutes=60, scoring={"wrong_penalty": "0" * 41}),
            ["scoring", "wrong_penalty"],
        ),
        (exams_pb2.ExamSettings(title="T", duration_minutes=60, reveal=9), ["reveal"]),  # type: ignore[arg-type]
        (
            exams_pb2.ExamSettings(title="T", duration_minutes=60, end_time={"seconds": 10**15}),
            ["end_time"],
        ),
    ],
)
async def test_wrong_settings_are_located(
    service: Service, settings: exams_pb2.ExamSettings, loc: list
) -> None:  # type: ignore[type-arg]
    failure = await refusal(service.author("CreateExam", authoring_pb2.CreateExamRequest(settings=settings)))
    assert failure.code == "invalid"
    assert [list(error.loc) for error in failure.errors] == [loc]


async def test_the_reasons_against_publishing_travel(service: Service) -> None:
    (outcome,) = await service.put(offered())
    settings = exams_pb2.ExamSettings(title="T", duration_minutes=60)
    exam = await service.author("CreateExam", authoring_pb2.CreateExamRequest(settings=settings))
    request = authoring_pb2.PublishExamRequest(id=exam.id)
    assert (await refusal(service.author("PublishExam", request))).extra["reasons"][0][
        "code"
    ] == "no_questions"
    chosen = [exams_pb2.ExamQuestion(question_id=outcome.question_id)]
    await service.author(
        "SetExamQuestions", authoring_pb2.SetExamQuestionsRequest(id=exam.id, questions=chosen)
    )
    service.grading.missing = [outcome.question_id]
    failure = await refusal(service.author("PublishExam", request))
    assert failure.extra["reasons"][0]["question_id"] == outcome.question_id
    await service.grading_server.stop(0)
    assert (await refusal(service.author("PublishExam", request))).code == "unavailable"
    left = await service.author("GetExam", authoring_pb2.GetExamRequest(id=exam.id))
    assert left.status == exams_pb2.EXAM_STATUS_PUBLISHING


async def test_a_question_said_to_be_new_is_no_version_of_another(service: Service) -> None:
    first, second = offered("first"), offered("second", new_question_id=str(uuid7()))
    third = offered("third")
    for one in (first, second, third):
        one.content.external_id = "x"
    outcomes = await service.put(first, second, third)
    assert [(o.outcome, o.code) for o in outcomes] == [
        ("created", ""),
        ("rejected", "external_id_taken"),
        ("updated", ""),
    ]


async def test_what_would_become_of_questions_is_told_without_storing_any(
    service: Service, db: Database
) -> None:
    known = offered("known")
    known.content.external_id = "x"
    await service.put(known)
    before = await rows(db, "SELECT * FROM audit")
    again, new, taken, wrong = (offered(text) for text in ("again", "new", "taken", " "))
    again.content.external_id = "x"
    new.content.external_id = "y"
    taken.content.external_id = "y"
    outcomes = await service.check(known, again, new, taken, offered(version_id="nonsense"), wrong)
    assert [(o.outcome, o.code) for o in outcomes] == [
        ("repeated", ""),
        ("updated", ""),
        ("created", ""),
        ("updated", ""),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
    ]
    (question,) = await rows(db, "SELECT version FROM questions")
    assert question == {"version": 1}
    assert await rows(db, "SELECT * FROM audit") == before
    assert (await refusal(service.check(*(offered() for _ in range(501))))).code == "invalid"


async def test_nobody_but_import_may_put_or_check_questions(
    service: Service, certificates: Certificates
) -> None:
    staff = connect(service.target, server="exam", tls=certificates("gateway-staff"))
    store = content_store_pb2_grpc.ContentStoreStub(staff)
    request = content_store_pb2.PutQuestionsRequest(items=[offered()])
    for method in (store.PutQuestions, store.CheckQuestions):
        assert (await refusal(call(method, request, timeout=20, token="admin"))).code == "forbidden"
    await staff.close()


async def test_unreadable_items_are_refused_one_by_one(service: Service, db: Database) -> None:
    outcomes = await service.put(
        offered("first"),
        offered(version_id="nonsense"),
        offered(question_id="nonsense"),
        offered(content=questions_pb2.QuestionContent(text="no type", points_hundredths=100)),
        offered(new_question_id="1"),
        offered("last"),
    )
    assert [(o.outcome, o.code) for o in outcomes] == [
        ("created", ""),
        ("rejected", "invalid"),
        ("rejected", "not_found"),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
        ("created", ""),
    ]
    (entry, _) = await rows(db, "SELECT actor_id, actor_kind FROM audit")
    assert entry == {"actor_id": None, "actor_kind": "service"}
    media = offered()
    media.content.media_json = b'{"not": "a list"}'
    surrogate = offered()
    surrogate.content.media_json = b'["\\ud800"]'
    nul = offered()
    nul.content.media_json = b'["\\u0000"]'
    assert {o.code for o in await service.put(media, surrogate, nul)} == {"invalid"}
    assert (await refusal(service.put(*(offered() for _ in range(501))))).code == "invalid"


async def test_pages_of_questions(service: Service) -> None:
    await service.put(*(offered(f"Q{n}") for n in range(5)))
    seen, cursor = [], ""
    while True:
        page = await service.author(
            "ListQuestions", authoring_pb2.ListQuestionsRequest(limit=2, cursor=cursor)
        )
        seen += [item.content.text for item in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == ["Q4", "Q3", "Q2", "Q1", "Q0"]
    for wrong in (
        authoring_pb2.ListQuestionsRequest(cursor="nonsense"),
        authoring_pb2.ListQuestionsRequest(cursor="WyIyMDI2IiwieCJd"),
        authoring_pb2.ListQuestionsRequest(q="a\x00"),
        authoring_pb2.ListQuestionsRequest(q="x" * 501),
        authoring_pb2.ListQuestionsRequest(type=99),  # type: ignore[arg-type]
    ):
        assert (await refusal(service.author("ListQuestions", wrong))).code == "invalid"


async def test_who_may_not(service: Service, certificates: Certificates) -> None:
    request = authoring_pb2.ListExamsRequest()
    assert (await refusal(service.author("ListExams", request, token="student"))).code == "forbidden"
    assert (await refusal(service.author("ListExams", request, token=""))).code == "unauthenticated"
    for method, wrong in (
        ("GetExam", authoring_pb2.GetExamRequest(id="nonsense")),
        ("GetExam", authoring_pb2.GetExamRequest(id=str(uuid7()))),
        ("GetQuestion", authoring_pb2.GetQuestionRequest(id="")),
        ("GetPaper", authoring_pb2.GetPaperRequest(exam_id=str(uuid7()))),
    ):
        assert (await refusal(service.author(method, wrong))).code == "not_found"
