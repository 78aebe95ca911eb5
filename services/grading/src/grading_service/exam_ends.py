"""Exam's word on which exams are over: asked before right answers are shown, and remembered for seconds."""

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from uuid import UUID

import grpc
import structlog
from examkit.errors import AppError
from examkit.rpc.client import call
from examprotos.exam.v1 import exam_ends_pb2, exam_ends_pb2_grpc

ASK_SECONDS = 0.5
REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 1_000

log = structlog.get_logger(__name__)


class ExamEnds:
    """A client of exam, over mutual TLS. An exam of which nothing can be learnt is not over."""

    def __init__(self, channel: grpc.aio.Channel, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._exam = exam_ends_pb2_grpc.ExamEndsStub(channel)
        self._monotonic = monotonic
        self._asked: OrderedDict[UUID, tuple[float, asyncio.Task[bool]]] = OrderedDict()

    async def over(self, exam_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those that nobody may sit any more, by what exam said within the last 5 s."""
        answers = await asyncio.gather(*(asyncio.shield(self._answer(one)) for one in exam_ids))
        return frozenset(one for one, over in zip(exam_ids, answers, strict=True) if over)

    def _answer(self, exam_id: UUID) -> asyncio.Task[bool]:
        """The one that is remembered or under way, else a new one."""
        now = self._monotonic()
        asked_at, answer = self._asked.get(exam_id, (now, None))
        if answer is None or (answer.done() and now >= asked_at + REMEMBERED_SECONDS):
            # In a task and a context of its own: others wait for it too, and the caller may go away.
            answer = asyncio.create_task(self._ask(exam_id), context=contextvars.Context())
            self._asked[exam_id] = now, answer
            self._asked.move_to_end(exam_id)
            if len(self._asked) > MOST_REMEMBERED:
                self._asked.popitem(last=False)
        return answer

    async def _ask(self, exam_id: UUID) -> bool:
        request = exam_ends_pb2.IsOverRequest(exam_id=str(exam_id))
        try:
            response = await call(self._exam.IsOver, request, timeout=ASK_SECONDS, idempotent=True, token="")
        except AppError as error:
            log.warning("exam_not_asked", reason=error.detail)
            return False
        except Exception:
            # Whatever it is, a result can be shown without its right answers.
            log.exception("exam_not_asked")
            return False
        return response.over
