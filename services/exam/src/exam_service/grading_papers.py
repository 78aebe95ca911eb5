"""Grading's `Papers` as this service needs it: freeze a paper, hear which questions lack a key."""

import asyncio
from datetime import datetime
from uuid import UUID

import grpc
from examkit.rpc.client import call
from examprotos.exam.v1 import exams_pb2
from examprotos.grading.v1 import keys_pb2, keys_pb2_grpc

from exam_service import words
from exam_service.domain.paper import Paper
from exam_service.repository.exams import ExamRow

FREEZE_SECONDS = 10.0


class GradingPapers:
    """A client of grading, over mutual TLS."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._papers = keys_pb2_grpc.PapersStub(channel)
        self._turn = asyncio.Lock()

    @property
    def turn(self) -> asyncio.Lock:
        """Held by who asks with a connection to the database in hand: one at a time."""
        return self._turn

    async def freeze(
        self, exam: ExamRow, paper: Paper, last_possible_end: datetime | None
    ) -> frozenset[UUID]:
        """Have grading take the paper for good. Idempotent.

        Returns the questions without a fitting key: empty once the paper is frozen. Raises unavailable.
        """
        response = await call(
            self._papers.FreezePaper,
            _request(exam, paper, last_possible_end),
            timeout=FREEZE_SECONDS,
            idempotent=True,
            # A worker may do this long after the user has gone; it always goes without the user.
            token="",
        )
        return frozenset(UUID(question_id) for question_id in response.missing_question_ids)


def _request(exam: ExamRow, paper: Paper, last_possible_end: datetime | None) -> keys_pb2.FreezePaperRequest:
    settings = exam.settings
    request = keys_pb2.FreezePaperRequest(
        exam_id=str(exam.id),
        title=settings.title,
        questions=[
            keys_pb2.FrozenQuestion(
                question_id=str(question.question_id),
                version_id=str(question.version_id),
                type=words.QUESTION_TYPE.number(question.type),
                option_ids=question.option_ids,
                points_hundredths=question.points_hundredths,
                order=question.order,
            )
            for question in paper.questions
        ],
        scoring=exams_pb2.Scoring(
            multi_choice=words.MULTI_CHOICE.number(settings.multi_choice),
            wrong_penalty=f"{settings.wrong_penalty:f}",
        ),
        result_policy=words.RESULT_POLICY.number(settings.result_policy),
        reveal=words.REVEAL.number(settings.reveal),
    )
    if last_possible_end is not None:
        request.last_possible_end.FromDatetime(last_possible_end)
    if settings.end_time is not None:
        request.end_time.FromDatetime(settings.end_time)
    return request
