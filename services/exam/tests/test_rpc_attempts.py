"""Attempts and Invigilation over real gRPC with mutual TLS and real tokens: conversions, errors, callers."""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from exam_service.repository.attempts import KnownAttempts
from exam_service.rpc.attempts import AttemptsServicer
from exam_service.rpc.invigilation import InvigilationServicer
from exam_service.rpc.policies import POLICIES
from examkit.db import Database
from examkit.errors import AppError, Kind
from examkit.revocations import Revocations
from examkit.rpc.client import call, connect
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examkit.tokens import TokenVerifier
from examprotos.exam.v1 import attempts_pb2 as pb
from examprotos.exam.v1 import attempts_pb2_grpc, invigilation_pb2, invigilation_pb2_grpc

from .sitting import Hall

Certificates = Callable[[str], TlsFiles]


class Mint:
    """Signs tokens, and is the source of the key that verifies them."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        return self._key.public_key() if kid == "k1" else None

    def token(self, user: UUID, role: str = "student", lives: float = 600) -> str:
        now = time.time()
        claims = {
            "sub": str(user),
            "role": role,
            "groups": ["physics"],
            "sid": str(uuid4()),
            "ver": 1,
            "iat": now - 1000,
            "exp": now + lives,
            "iss": "examhall",
            "aud": "examhall-api",
        }
        return jwt.encode(claims, self._key, "EdDSA", headers={"kid": "k1", "typ": "at+jwt"})


@dataclass
class Service:
    attempts: attempts_pb2_grpc.AttemptsStub
    invigilation: invigilation_pb2_grpc.InvigilationStub
    mint: Mint
    student: UUID = field(default_factory=uuid4)

    async def sits(self, method: str, request: Any, token: str | None = None) -> Any:
        stub = getattr(self.attempts, method)
        return await call(stub, request, timeout=20, token=token or self.mint.token(self.student))

    async def watches(self, method: str, request: Any, role: str = "admin") -> Any:
        stub = getattr(self.invigilation, method)
        return await call(stub, request, timeout=20, token=self.mint.token(uuid4(), role))


@pytest.fixture
async def service(db: Database, hall: Hall, certificates: Certificates) -> AsyncIterator[Service]:
    mint = Mint()
    verifier = TokenVerifier(mint, Revocations(), "examhall", "examhall-api")
    server = RpcServer("127.0.0.1:0", certificates("exam"), POLICIES, verifier)
    servicer = AttemptsServicer(db, hall.papers, KnownAttempts(), verifier)
    attempts_pb2_grpc.add_AttemptsServicer_to_server(servicer, server.grpc)
    invigilation_pb2_grpc.add_InvigilationServicer_to_server(
        InvigilationServicer(db, hall.papers), server.grpc
    )
    target = f"127.0.0.1:{await server.start()}"
    students = connect(target, server="exam", tls=certificates("gateway-student"))
    staff = connect(target, server="exam", tls=certificates("gateway-staff"))
    yield Service(
        attempts_pb2_grpc.AttemptsStub(students), invigilation_pb2_grpc.InvigilationStub(staff), mint
    )
    await students.close()
    await staff.close()
    await server.stop(0)


def answer(question: str, value: Any, revision: int | None = None) -> pb.AnswerSave:
    return pb.AnswerSave(question_id=question, answer_json=json.dumps(value).encode(), revision=revision)


async def refused(awaitable: Any) -> AppError:
    with pytest.raises(AppError) as error:
        await awaitable
    return error.value


async def test_what_is_listed_and_started(hall: Hall, service: Service) -> None:
    exam = str(await hall.exam(title="Finals"))
    listed = await service.sits("ListMyExams", pb.ListMyExamsRequest())
    assert [(item.title, item.my_status) for item in listed.items] == [("Finals", pb.MY_STATUS_NOT_STARTED)]
    assert not listed.items[0].HasField("time_remaining_seconds")
    assert not listed.items[0].HasField("end_time")

    attempt = await service.sits("Start", pb.StartRequest(exam_id=exam))

    assert attempt.exam.title == "Finals"
    assert attempt.exam.question_count == len(attempt.questions) == 7
    assert attempt.clock.deadline_version == 1
    assert 3590 < attempt.clock.time_remaining_seconds <= 3600
    assert attempt.clock.deadline_reason == "60 minutes from the start."
    events = [pb.IntegrityEvent(kind="paste", at=attempt.started_at, detail_json=b"{}")]
    await service.sits(
        "RecordEvents", pb.RecordEventsRequest(student_exam_id=attempt.student_exam_id, events=events)
    )


async def test_save_resume_submit(hall: Hall, service: Service) -> None:
    exam = str(await hall.exam(["single_choice", "text"]))
    attempt = await service.sits("Start", pb.StartRequest(exam_id=exam))
    choice, text = attempt.questions
    save = pb.AttemptSave(
        token=service.mint.token(service.student),
        student_exam_id=attempt.student_exam_id,
        answers=[answer(choice.id, "B", 2), answer(text.id, "draft"), answer(text.id, 5)],
    )

    (result,) = (await service.sits("SaveBatch", pb.SaveBatchRequest(saves=[save]))).results
    assert not result.HasField("fault")
    assert [(v.outcome, v.revision) for v in result.verdicts] == [
        ("stored", 2),
        ("stored", 1),
        ("rejected", 0),
    ]
    assert result.verdicts[2].code == "invalid"
    assert result.clock.deadline == attempt.clock.deadline

    again = await service.sits("Resume", pb.ResumeRequest(exam_id=exam))
    assert again.questions == attempt.questions
    saved = {(each.question_id, each.answer_json, each.revision) for each in again.saved_answers}
    assert saved == {(choice.id, b'"B"', 2), (text.id, b'"draft"', 1)}

    paper = pb.GetClosedPaperRequest(student_exam_id=attempt.student_exam_id)
    assert (await refused(service.sits("GetClosedPaper", paper))).code == "not_found"
    request = pb.SubmitRequest(
        student_exam_id=attempt.student_exam_id,
        answers=[answer(choice.id, "C", 1), answer(text.id, "done", 9)],
    )
    done = await service.sits("Submit", request)
    assert (done.status, done.attempt_version, done.receipt.answer_count) == ("submitted", 2, 2)
    assert [(v.question_id, v.code, v.current.revision) for v in done.rejected] == [
        (choice.id, "superseded", 2)
    ]
    assert await service.sits("Submit", request) == done
    read = await service.sits("GetSubmission", pb.GetSubmissionRequest(student_exam_id=done.student_exam_id))
    assert (read.submitted_at, read.receipt) == (done.submitted_at, done.receipt)
    # In the order and the letters in which the answers were given.
    assert (await service.sits("GetClosedPaper", paper)).questions == attempt.questions
    stranger = service.mint.token(uuid4())
    assert (await refused(service.sits("GetClosedPaper", paper, stranger))).code == "not_found"


async def test_errors_carry_what_the_contract_says(hall: Hall, service: Service) -> None:
    exam = str(await hall.exam(["text"]))
    attempt = await service.sits("Start", pb.StartRequest(exam_id=exam))

    twice = await refused(service.sits("Start", pb.StartRequest(exam_id=exam)))
    assert (twice.kind, twice.code) == (Kind.CONFLICT, "already_started")
    assert twice.extra == {"student_exam_id": attempt.student_exam_id}
    for exam_id in ("nonsense", str(uuid4()), ""):
        assert (await refused(service.sits("Start", pb.StartRequest(exam_id=exam_id)))).code == "not_found"
        assert (await refused(service.sits("Resume", pb.ResumeRequest(exam_id=exam_id)))).code == "not_found"
    nothing = pb.SubmitRequest(student_exam_id="nonsense")
    assert (await refused(service.sits("Submit", nothing))).code == "not_found"
    no_time = pb.RecordEventsRequest(
        student_exam_id=attempt.student_exam_id, events=[pb.IntegrityEvent(kind="copy")]
    )
    error = await refused(service.sits("RecordEvents", no_time))
    assert [each.loc for each in error.errors] == [("events", 0, "at")]
    cursor = pb.ListMyExamsRequest(cursor="?")
    assert (await refused(service.sits("ListMyExams", cursor))).code == "invalid"


async def test_each_save_is_judged_by_its_own_token(hall: Hall, service: Service) -> None:
    exam = str(await hall.exam(["text"]))
    attempt = await service.sits("Start", pb.StartRequest(exam_id=exam))
    question = attempt.questions[0].id
    tokens = {
        "mine": service.mint.token(service.student),
        "another's": service.mint.token(uuid4()),
        "expired": service.mint.token(service.student, lives=-1),
        "admin's": service.mint.token(service.student, "admin"),
        "forged": Mint().token(service.student),
        "none": "",
    }
    saves = [
        pb.AttemptSave(
            token=token, student_exam_id=attempt.student_exam_id, answers=[answer(question, "x", 1)]
        )
        for token in tokens.values()
    ]

    response = await call(service.attempts.SaveBatch, pb.SaveBatchRequest(saves=saves), timeout=20)

    faults = {
        name: (result.fault.kind, result.fault.code)
        for name, result in zip(tokens, response.results, strict=True)
    }
    assert faults == {
        "mine": ("", ""),
        "another's": ("NOT_FOUND", "not_found"),
        "expired": ("UNAUTHENTICATED", "token_expired"),
        "admin's": ("FORBIDDEN", "forbidden"),
        "forged": ("UNAUTHENTICATED", "unauthenticated"),
        "none": ("UNAUTHENTICATED", "unauthenticated"),
    }
    assert response.results[0].verdicts[0].outcome == "stored"


async def test_students_do_not_invigilate_and_staff_do_not_sit(
    hall: Hall, service: Service, certificates: Certificates
) -> None:
    exam = str(await hall.exam(["text"]))
    admin = service.mint.token(uuid4(), "admin")

    assert (await refused(service.sits("Start", pb.StartRequest(exam_id=exam), admin))).kind is Kind.FORBIDDEN
    watching = invigilation_pb2.ListAttemptsRequest(exam_id=exam)
    assert (await refused(service.watches("ListAttempts", watching, "student"))).kind is Kind.FORBIDDEN
    channel = service.attempts.Start
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await channel(pb.StartRequest(exam_id=exam))
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_accommodations_and_attempts_as_staff_see_them(hall: Hall, service: Service) -> None:
    exam = str(await hall.exam(["text", "text"]))
    attempt = await service.sits("Start", pb.StartRequest(exam_id=exam))
    student = str(service.student)
    ends = datetime.now(UTC) + timedelta(hours=9)
    wanted = invigilation_pb2.Accommodation(
        student_id=student, exam_id=exam, extra_time_percent=25, extra_attempts=1
    )
    wanted.end_time.FromDatetime(ends)

    put = await service.watches(
        "PutAccommodation", invigilation_pb2.PutAccommodationRequest(accommodation=wanted)
    )
    got = await service.watches(
        "GetAccommodation", invigilation_pb2.GetAccommodationRequest(student_id=student, exam_id=exam)
    )

    assert put == got
    assert got.end_time.ToDatetime(UTC) == ends
    assert not got.HasField("start_time")
    one = invigilation_pb2.GetAttemptRequest(student_exam_id=attempt.student_exam_id)
    summary = await service.watches("GetAttempt", one)
    assert (summary.status, summary.question_count, summary.answered_count) == ("in_progress", 2, 0)
    assert "25 % extra time" in summary.deadline_reason
    assert summary.deadline.seconds - summary.started_at.seconds == 75 * 60
    taken = invigilation_pb2.DeleteAccommodationRequest(student_id=student, exam_id=exam)
    await service.watches("DeleteAccommodation", taken)
    assert (await refused(service.watches("DeleteAccommodation", taken))).code == "not_found"

    wanted.end_time.seconds = 10**15
    error = await refused(
        service.watches("PutAccommodation", invigilation_pb2.PutAccommodationRequest(accommodation=wanted))
    )
    assert (error.code, [each.loc for each in error.errors]) == ("invalid", [("end_time",)])


async def test_attempts_come_in_pages_and_by_status(hall: Hall, service: Service) -> None:
    exam = await hall.exam(["text"])
    sittings = [await hall.sits(exam) for _ in range(5)]
    await hall.submit(sittings[0][0], sittings[0][1].attempt.id)
    await hall.move_deadline(sittings[1][1].attempt.id, -1)

    async def page(cursor: str = "", **more: Any) -> Any:
        request = invigilation_pb2.ListAttemptsRequest(exam_id=str(exam), cursor=cursor, **more)
        return await service.watches("ListAttempts", request)

    seen: list[str] = []
    cursor = ""
    while not seen or cursor:
        found = await page(cursor, limit=2)
        seen += [item.student_exam_id for item in found.items]
        cursor = found.next_cursor
    assert seen == [str(sitting.attempt.id) for _, sitting in sittings]
    counts = {
        status: len((await page(status=status)).items) for status in ("in_progress", "submitted", "expired")
    }
    assert counts == {"in_progress": 3, "submitted": 1, "expired": 1}
    assert (await refused(page(status="lost"))).code == "invalid"
    assert (await refused(page("?"))).code == "invalid"
    nowhere = invigilation_pb2.ListAttemptsRequest(exam_id=str(uuid4()))
    assert (await refused(service.watches("ListAttempts", nowhere))).code == "not_found"
    nobody = invigilation_pb2.GetAttemptRequest(student_exam_id=str(uuid4()))
    assert (await refused(service.watches("GetAttempt", nobody))).code == "not_found"
