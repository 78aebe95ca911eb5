"""`Statistics`: how an exam and its questions did, for staff."""

from collections.abc import Mapping

import grpc
from examkit.db import Database
from examkit.ids import parse_uuid
from examprotos.grading.v1 import statistics_pb2, statistics_pb2_grpc

from grading_service.repository.statistics import QuestionFigures
from grading_service.usecases.exam_statistics import exam_statistics


class StatisticsServicer(statistics_pb2_grpc.StatisticsServicer):
    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetStatistics(
        self, request: statistics_pb2.GetStatisticsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> statistics_pb2.ExamStatistics:
        found = await exam_statistics(self._db, parse_uuid(request.exam_id))
        whole = found.whole
        return statistics_pb2.ExamStatistics(
            attempts=whole.attempts,
            pending=whole.pending,
            max_possible_hundredths=whole.max_possible,
            mean_hundredths=whole.mean,
            median_hundredths=whole.median,
            standard_deviation_hundredths=whole.sd,
            lowest_hundredths=whole.lowest,
            highest_hundredths=whole.highest,
            mean_percentage_hundredths=whole.mean_percentage,
            tenths=found.distribution,
            cronbach_alpha=found.alpha,
            questions=[_question(one, found.answers[one.question_id]) for one in found.questions],
        )


def _question(found: QuestionFigures, answers: Mapping[str, int]) -> statistics_pb2.QuestionStatistics:
    return statistics_pb2.QuestionStatistics(
        question_id=str(found.question_id),
        type=found.type,
        order=found.position,
        max_score_hundredths=found.max_score,
        status=_status(found),
        answered=found.answered,
        graded=found.graded,
        pending=found.pending,
        mean_hundredths=found.mean,
        difficulty=found.difficulty,
        discrimination=found.discrimination,
        answers=[statistics_pb2.AnswerCount(answer=answer, times=times) for answer, times in answers.items()],
    )


def _status(found: QuestionFigures) -> str:
    if found.excluded:
        return "excluded"
    return "pending" if found.pending else "graded"
