"""`Regrading`: decisions about questions of exams that were sat, for staff."""

import grpc
from examkit.clock import Clock
from examkit.db import Database
from examkit.errors import FieldError, invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_user
from examprotos.grading.v1 import regrading_pb2, regrading_pb2_grpc

from grading_service.domain.regrading import RegradePolicy
from grading_service.domain.scoring import percentage
from grading_service.repository.papers import PaperCache
from grading_service.repository.regrades import Difference, Standing
from grading_service.rpc import conversions
from grading_service.usecases.apply_regrades import apply_within
from grading_service.usecases.regrade import Wanted, preview, regrade, roll_back
from grading_service.usecases.regrades import Known, get_regrade, list_regrades

APPLY_SECONDS = 20.0
"""What takes longer is applied by the worker; the answer says how far it has come."""


class RegradingServicer(regrading_pb2_grpc.RegradingServicer):
    def __init__(self, db: Database, cache: PaperCache, clock: Clock) -> None:
        self._db = db
        self._cache = cache
        self._clock = clock

    async def Regrade(
        self, request: regrading_pb2.RegradeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> regrading_pb2.RegradeReport:
        actor, now = current_user().user_id, self._clock()
        decided = await regrade(self._db, self._cache, _wanted(request), actor, now)
        await apply_within(self._db, self._cache, decided, self._clock, APPLY_SECONDS)
        return _report(await get_regrade(self._db, decided.exam_id, decided.id))

    async def PreviewRegrade(
        self, request: regrading_pb2.RegradeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> regrading_pb2.RegradeReport:
        actor, now = current_user().user_id, self._clock()
        proposed, differences = await preview(self._db, self._cache, _wanted(request), actor, now)
        report = _report(Known(proposed, differences, applied=False, rolled_back_by=None))
        report.regrade.id = ""
        return report

    async def RollBack(
        self, request: regrading_pb2.RollBackRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> regrading_pb2.RegradeReport:
        decided = await roll_back(
            self._db,
            self._cache,
            parse_uuid(request.exam_id),
            parse_uuid(request.regrade_id),
            request.reason,
            current_user().user_id,
            self._clock(),
        )
        await apply_within(self._db, self._cache, decided, self._clock, APPLY_SECONDS)
        return _report(await get_regrade(self._db, decided.exam_id, decided.id))

    async def ListRegrades(
        self, request: regrading_pb2.ListRegradesRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> regrading_pb2.ListRegradesResponse:
        found = await list_regrades(self._db, parse_uuid(request.exam_id))
        return regrading_pb2.ListRegradesResponse(items=[_regrade(one) for one in found])

    async def GetRegrade(
        self, request: regrading_pb2.GetRegradeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> regrading_pb2.RegradeReport:
        found = await get_regrade(self._db, parse_uuid(request.exam_id), parse_uuid(request.regrade_id))
        return _report(found)


def _wanted(request: regrading_pb2.RegradeRequest) -> Wanted:
    """Raises: invalid."""
    if request.policy not in ("rekey", "full_marks", "exclude"):
        raise invalid("policy is unknown.", FieldError(("policy",), "Give rekey, full_marks or exclude."))
    return Wanted(
        exam_id=parse_uuid(request.exam_id),
        question_id=parse_uuid(request.question_id),
        policy=RegradePolicy(request.policy),
        key=conversions.key_of(request.key) if request.HasField("key") else None,
        reason=request.reason,
    )


def _report(known: Known) -> regrading_pb2.RegradeReport:
    items = [_difference(one) for one in known.differences]
    return regrading_pb2.RegradeReport(regrade=_regrade(known), items=items)


def _regrade(known: Known) -> regrading_pb2.Regrade:
    one = known.regrade
    moved = [_moved(difference) for difference in known.differences]
    return regrading_pb2.Regrade(
        id=str(one.id),
        exam_id=str(one.exam_id),
        question_id=str(one.question_id),
        version=one.version,
        policy=one.policy.value,
        key=None if one.key is None else conversions.answer_key(one.key, ""),
        reason=one.reason,
        actor_id=str(one.actor_id),
        at=conversions.stamp(one.at),
        undoes=str(one.undoes or ""),
        rolled_back_by=str(known.rolled_back_by or ""),
        applied=known.applied,
        changed=sum(difference.before != difference.after for difference in known.differences),
        raised=sum(by > 0 for by in moved),
        lowered=sum(by < 0 for by in moved),
    )


def _moved(one: Difference) -> int:
    """By how many hundredths of a percent."""
    return _percentage(one.after) - _percentage(one.before)


def _percentage(standing: Standing) -> int:
    return percentage(standing.total, standing.max_possible)


def _difference(one: Difference) -> regrading_pb2.Difference:
    return regrading_pb2.Difference(
        student_exam_id=str(one.student_exam_id),
        student_id=str(one.student_id),
        attempt_no=one.attempt_no,
        before=_standing(one.before),
        after=_standing(one.after),
    )


def _standing(standing: Standing) -> regrading_pb2.Standing:
    return regrading_pb2.Standing(
        total_score_hundredths=standing.total,
        max_possible_hundredths=standing.max_possible,
        percentage_hundredths=_percentage(standing),
    )
