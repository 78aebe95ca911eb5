"""The marker's work as staff's surface calls it: the queue page by page, marks, whole results."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7
from examkit.principal import Principal
from examkit.rpc.context import acting
from examprotos.grading.v1 import keys_pb2, marking_pb2
from grading_service.repository.papers import PaperCache
from grading_service.rpc.keys import AnswerKeysServicer
from grading_service.rpc.marking import MarkingServicer
from grading_service.usecases import full_results, get_keys
from grading_service.usecases.grade_attempts import ClosedAttempt, grade_attempts
from prometheus_client import REGISTRY

from .conftest import ALL_RIGHT, NOW, SENTINEL, FrozenExam, exam_policy, freeze


@pytest.fixture
def marking(db: Database, cache: PaperCache) -> Iterator[MarkingServicer]:
    with acting(principal=Principal(uuid7(), "admin", frozenset(), uuid7(), 1, 4e9)):
        yield MarkingServicer(db, cache, lambda: NOW)


async def graded(db: Database, cache: PaperCache, exam: FrozenExam, number: int) -> list[ClosedAttempt]:
    """Attempts that were closed one after the other."""
    closed = [exam.closed(ALL_RIGHT, closed_at=NOW + timedelta(minutes=place)) for place in range(number)]
    async with db.transaction() as tx:
        await grade_attempts(tx, cache, closed, NOW)
    return closed


async def queue(marking: MarkingServicer, **request: object) -> marking_pb2.ListQueueResponse:
    return await marking.ListQueue(marking_pb2.ListQueueRequest(**request), None)  # type: ignore[arg-type]


async def mark(marking: MarkingServicer, closed: ClosedAttempt, exam: FrozenExam) -> marking_pb2.FullResult:
    request = marking_pb2.PutMarkRequest(
        student_exam_id=str(closed.student_exam_id),
        question_id=exam.question_ids[5],
        score_hundredths=150,
        comment="Good.",
    )
    return await marking.PutMark(request, None)  # type: ignore[arg-type]


async def batch(marking: MarkingServicer, *attempts: UUID, with_items: bool) -> list[marking_pb2.FullResult]:
    ids = [str(attempt) for attempt in attempts]
    request = marking_pb2.BatchGetResultsRequest(student_exam_ids=ids, with_items=with_items)
    return list((await marking.BatchGetResults(request, None)).items)  # type: ignore[arg-type]


async def test_the_queue_gives_each_waiting_answer_once_oldest_first(
    db: Database, cache: PaperCache, exam: FrozenExam, marking: MarkingServicer
) -> None:
    closed = await graded(db, cache, exam, 5)
    await graded(db, cache, await freeze(db, exam_policy()), 1)
    assert (await queue(marking)).total == 6
    seen, cursor = [], ""
    for size in (2, 2, 1):
        page = await queue(marking, exam_id=str(exam.exam_id), limit=2, cursor=cursor)
        assert (len(page.items), page.total) == (size, 5)
        seen += page.items
        cursor = page.next_cursor
    assert not cursor
    assert [UUID(item.student_exam_id) for item in seen] == [one.student_exam_id for one in closed]
    assert {item.question_id for item in seen} == {exam.question_ids[5]}
    first = seen[0]
    assert (first.answer_json, first.max_score_hundredths) == (b'"An essay."', 200)
    assert first.explanation == f"Because {SENTINEL}."
    with pytest.raises(AppError, match="cursor"):
        await queue(marking, cursor="x")


async def test_a_mark_takes_the_answer_out_of_the_queue(
    db: Database, cache: PaperCache, exam: FrozenExam, marking: MarkingServicer
) -> None:
    closed, other = await graded(db, cache, exam, 2)
    before = REGISTRY.get_sample_value("examhall_manual_marks_total") or 0
    result = await mark(marking, closed, exam)
    assert (result.total_score_hundredths, result.grading) == (1150, "complete")
    assert REGISTRY.get_sample_value("examhall_manual_marks_total") == before + 1
    left = await queue(marking)
    assert [UUID(item.student_exam_id) for item in left.items] == [other.student_exam_id]
    assert left.total == 1


async def test_whole_results_come_with_items_if_asked_for(
    db: Database,
    cache: PaperCache,
    exam: FrozenExam,
    marking: MarkingServicer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed, other = await graded(db, cache, exam, 2)
    await mark(marking, closed, exam)
    attempts = (closed.student_exam_id, other.student_exam_id, uuid7())
    results = {one.student_exam_id: one for one in await batch(marking, *attempts, with_items=True)}
    assert {UUID(attempt) for attempt in results} == set(attempts[:2])
    marked = results[str(closed.student_exam_id)]
    assert [item.question_id for item in marked.items] == list(exam.question_ids)
    assert (marked.items[5].comment, marked.items[5].score_hundredths) == ("Good.", 150)
    assert all(not one.items for one in await batch(marking, *attempts, with_items=False))
    monkeypatch.setattr(full_results, "MOST", 2)
    with pytest.raises(AppError, match="at most 2"):
        await batch(marking, *attempts, with_items=False)


async def test_the_editor_gets_the_keys_that_are_there(
    db: Database, exam: FrozenExam, cache: PaperCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.reading() as conn:
        paper = await cache.get(conn, exam.exam_id, 0)
    versions = [str(one.question.version_id) for one in paper.questions]
    request = keys_pb2.GetKeysRequest(version_ids=[*versions, str(uuid7())])
    found = await AnswerKeysServicer(db).GetKeys(request, None)  # type: ignore[arg-type]
    assert {item.version_id for item in found.items} == set(versions)
    assert all(item.key.explanation == f"Because {SENTINEL}." for item in found.items)
    monkeypatch.setattr(get_keys, "MOST", 6)
    with pytest.raises(AppError, match="at most 6"):
        await AnswerKeysServicer(db).GetKeys(request, None)  # type: ignore[arg-type]
