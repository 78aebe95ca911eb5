"""Publishing: the frozen paper, refusals, crashes at each step, and many at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from exam_service.repository.papers import PaperCache
from exam_service.usecases import publish
from exam_service.usecases.actor import Actor
from exam_service.usecases.close import close_exam
from exam_service.usecases.exam_events import EXAM_CHANGED
from exam_service.usecases.exam_views import read_view
from exam_service.usecases.exams import delete_exam, set_questions, update_exam
from exam_service.usecases.publish import publish_exam, resume_publications
from exam_service.usecases.questions import put_questions
from exam_service.usecases.save import Saver
from examkit.db import Database, Limits
from examkit.errors import AppError, Kind, conflict, unavailable
from examkit.ids import uuid7
from examkit.testing import TestDatabase, eventually
from examprotos.exam.v1 import events_pb2, exams_pb2
from prometheus_client import REGISTRY

from .builders import FakeGrading, bank, content, draft, events, item, published, rows, write
from .sitting import Hall, outcomes, sent

AWAY = unavailable("Grading is away.")


async def status(db: Database, exam_id: UUID) -> str:
    async with db.reading() as conn:
        return (await read_view(conn, exam_id)).exam.status


async def codes(db: Database, grading: FakeGrading, admin: Actor, exam_id: UUID) -> list[str]:
    with pytest.raises(AppError) as failure:
        await publish_exam(db, grading, admin, exam_id)
    assert failure.value.code == "not_publishable"
    return [reason["code"] for reason in failure.value.extra["reasons"]]


async def age(db: Database, exam_id: UUID) -> None:
    """As if it had been publishing for long."""
    await write(
        db, "UPDATE exams SET publishing_at = publishing_at - interval '6 minutes' WHERE id = :id", id=exam_id
    )


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("examhall_exam_publications_total", {"outcome": outcome}) or 0.0


async def test_publishing_freezes_the_versions_of_that_moment(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    one, two = await bank(db, content("one"), content("two", type="text"))
    view = await draft(db, [two, one], points=300)
    await put_questions(db, admin, [item(content("one, edited"), question_id=one)])
    done = await publish_exam(db, grading, admin, view.exam.id)
    assert (done.exam.status, done.question_count, done.max_possible_hundredths) == ("published", 2, 600)
    assert done.exam.published_at is not None
    await put_questions(db, admin, [item(content("one, too late"), question_id=one)])
    paper = await PaperCache(db).get(view.exam.id)
    assert [(q.order, q.text, q.points_hundredths) for q in paper.questions] == [
        (1, "two", 300),
        (2, "one, edited", 300),
    ]
    assert paper.by_id[one].version == 2
    assert paper.by_id[one].option_ids == ("A", "B", "C", "D")
    assert grading.frozen[view.exam.id] == [paper]
    (heard,) = await events(db, EXAM_CHANGED, events_pb2.ExamChanged)
    assert (heard.status, heard.title, heard.version) == (exams_pb2.EXAM_STATUS_PUBLISHED, "Physics", 1)
    trail = await rows(
        db, "SELECT action, actor_id FROM audit WHERE action LIKE 'exam.publ%' ORDER BY at, id"
    )
    assert trail == [
        {"action": "exam.publication_begun", "actor_id": admin.id},
        {"action": "exam.published", "actor_id": admin.id},
    ]


async def test_publishing_again_changes_nothing(db: Database, admin: Actor, grading: FakeGrading) -> None:
    view = await draft(db)
    first = await publish_exam(db, grading, admin, view.exam.id)
    assert await publish_exam(db, grading, admin, view.exam.id) == first
    assert len(grading.frozen[view.exam.id]) == 1
    await close_exam(db, admin, view.exam.id)
    with pytest.raises(AppError, match="closed"):
        await publish_exam(db, grading, admin, view.exam.id)
    with pytest.raises(AppError, match="not_found"):
        await publish_exam(db, grading, admin, uuid7())


async def test_what_can_not_be_published_stays_a_draft(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    view = await draft(db, [], end_time=datetime.now(UTC) - timedelta(minutes=1))
    assert await codes(db, grading, admin, view.exam.id) == ["no_questions", "end_in_past"]
    assert await status(db, view.exam.id) == "draft"
    assert grading.frozen == {}


async def test_without_a_key_it_goes_back_to_draft_and_may_be_mended(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    question_ids = await bank(db)
    view = await draft(db, question_ids)
    grading.missing = {question_ids[1]}
    with pytest.raises(AppError) as failure:
        await publish_exam(db, grading, admin, view.exam.id)
    (reason,) = failure.value.extra["reasons"]
    assert (reason["code"], reason["question_id"]) == ("question_without_key", str(question_ids[1]))
    assert await status(db, view.exam.id) == "draft"
    assert await rows(db, "SELECT 1 FROM paper_questions") == []
    with pytest.raises(AppError, match="not_found"):
        await PaperCache(db).get(view.exam.id)
    await set_questions(
        db, admin, view.exam.id, [q for q in view.questions if q.question_id != question_ids[1]]
    )
    assert (await publish_exam(db, grading, admin, view.exam.id)).question_count == 2


async def test_a_refusal_by_grading_is_a_reason(db: Database, admin: Actor, grading: FakeGrading) -> None:
    view = await draft(db)
    grading.failure = conflict("paper_frozen", "Another paper was frozen for this exam.")
    assert await codes(db, grading, admin, view.exam.id) == ["paper_frozen"]
    assert await status(db, view.exam.id) == "draft"


async def test_while_grading_is_away_it_waits_and_is_resumed(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    view = await draft(db)
    grading.failure = AWAY
    with pytest.raises(AppError) as failure:
        await publish_exam(db, grading, admin, view.exam.id)
    assert failure.value.code == "unavailable"
    assert await status(db, view.exam.id) == "publishing"
    assert await rows(db, "SELECT 1 FROM outbox") == []
    # The paper is frozen already, and what went into it may not change.
    with pytest.raises(AppError, match="published"):
        await update_exam(db, admin, view.exam.id, {"max_attempts": 3})
    with pytest.raises(AppError, match="not_found"):
        await PaperCache(db).get(view.exam.id)
    assert await resume_publications(db, grading, older_than=0) == 1
    assert await status(db, view.exam.id) == "publishing"
    grading.failure = None
    assert await resume_publications(db, grading, older_than=60) == 0
    assert await resume_publications(db, grading, older_than=0) == 1
    assert await status(db, view.exam.id) == "published"
    (entry,) = await rows(db, "SELECT actor_id FROM audit WHERE action = 'exam.published'")
    assert entry["actor_id"] == admin.id
    assert await resume_publications(db, grading, older_than=0) == 0


async def test_a_crash_after_grading_froze_the_paper_is_resumed_with_the_same_paper(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    question_ids = await bank(db, content("one"))
    view = await draft(db, question_ids)
    grading.gate.clear()
    publishing = asyncio.create_task(publish_exam(db, grading, admin, view.exam.id))

    async def is_publishing() -> bool:
        return await status(db, view.exam.id) == "publishing"

    await eventually(is_publishing)
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    grading.gate.set()
    await put_questions(db, admin, [item(content("edited meanwhile"), question_id=question_ids[0])])
    done = await publish_exam(db, grading, admin, view.exam.id)
    assert done.exam.status == "published"
    assert [q.text for q in grading.frozen[view.exam.id][-1].questions] == ["one"]


async def test_a_resumed_refusal_makes_it_a_draft_again(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    question_ids = await bank(db)
    view = await draft(db, question_ids)
    grading.failure = AWAY
    with pytest.raises(AppError):
        await publish_exam(db, grading, admin, view.exam.id)
    grading.failure, grading.missing = None, set(question_ids)
    await resume_publications(db, grading, older_than=0)
    assert await status(db, view.exam.id) == "draft"
    (entry,) = await rows(db, "SELECT after FROM audit WHERE action = 'exam.publication_refused'")
    assert [reason["code"] for reason in entry["after"]["reasons"]] == ["question_without_key"] * 3


async def test_one_process_at_a_time_asks_grading_and_the_others_wait_for_its_answer(
    db: Database, admin: Actor
) -> None:
    question_ids = await bank(db)
    view = await draft(db, question_ids)
    slow, quick = FakeGrading(), FakeGrading()
    slow.missing = set(question_ids)
    slow.gate.clear()
    first = asyncio.create_task(publish_exam(db, slow, admin, view.exam.id))
    await eventually(lambda: slow.calls == 1)
    second = asyncio.create_task(publish_exam(db, quick, admin, view.exam.id))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.shield(second)
    assert quick.calls == 0
    slow.gate.set()
    with pytest.raises(AppError, match="not_publishable"):
        await first
    # The first was refused and left a draft; the second had it judged anew, with keys for all by then.
    assert (await second).exam.status == "published"
    assert quick.calls == 1


@pytest.mark.parametrize("processes", [1, 2])
async def test_who_waits_for_too_long_is_told_to_try_again(
    db: Database, admin: Actor, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(publish, "TURN_SECONDS", 0.2)
    view = await draft(db)
    slow = FakeGrading()
    slow.gate.clear()
    first = asyncio.create_task(publish_exam(db, slow, admin, view.exam.id))
    await eventually(lambda: slow.calls == 1)
    interrupted = counted("interrupted")
    other = slow if processes == 1 else FakeGrading()
    with pytest.raises(AppError) as failure:
        await publish_exam(db, other, admin, view.exam.id)
    assert (failure.value.code, failure.value.retry_after) == ("unavailable", 2.0)
    # It says that grading can't be reached, which this does not.
    assert counted("interrupted") == interrupted
    slow.gate.set()
    assert (await first).exam.status == "published"


async def test_a_grading_that_hangs_takes_no_connections_from_the_saves(
    database: TestDatabase,
    db: Database,
    hall: Hall,
    admin: Actor,
    grading: FakeGrading,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publish, "TURN_SECONDS", 60.0)
    who, sitting = await hall.sits(await hall.exam(["text"]))
    question = sitting.paper.questions[0].question_id
    drafts = [(await draft(db)).exam.id for _ in range(5)]
    small = Database(database.serve_dsn, schema="exam", pool_size=2, limits=Limits(pool_wait=5))
    saver = Saver(small, hall.papers, hall.known, hall._verify)
    grading.gate.clear()

    async def saves() -> list[str]:
        found = []
        for revision in range(20):
            (result,) = await saver.save_batch(
                [hall.request(who, sitting.attempt.id, sent(question, "x", revision))]
            )
            found += outcomes(result)
            await asyncio.sleep(0.01)
        return found

    clicks = [asyncio.create_task(publish_exam(small, grading, admin, exam)) for exam in [*drafts, *drafts]]
    await eventually(lambda: grading.calls == 1)
    assert await saves() == ["stored"] * 20
    assert grading.calls == 1
    grading.gate.set()
    done = await asyncio.gather(*clicks)
    await small.close()
    assert [view.exam.status for view in done] == ["published"] * 10


@pytest.mark.parametrize("failure", [AppError(Kind.INTERNAL, "internal", "It broke."), KeyError("image")])
async def test_what_grading_fails_at_again_and_again_is_a_draft_again(
    db: Database, admin: Actor, grading: FakeGrading, failure: Exception
) -> None:
    view, good = await draft(db), await draft(db)
    grading.failure = failure
    for one in (view, good):
        with pytest.raises(type(failure)):
            await publish_exam(db, grading, admin, one.exam.id)
    assert await resume_publications(db, grading, older_than=0) == 2
    assert await status(db, view.exam.id) == "publishing"

    await age(db, view.exam.id)
    await resume_publications(db, grading, older_than=0)

    assert [await status(db, one.exam.id) for one in (view, good)] == ["draft", "publishing"]
    assert await rows(db, "SELECT 1 FROM paper_questions WHERE exam_id = :id", id=view.exam.id) == []
    (entry,) = await rows(db, "SELECT after, reason FROM audit WHERE action = 'exam.publication_refused'")
    assert [reason["code"] for reason in entry["after"]["reasons"]] == ["grading_failed"]
    assert "Grading failed" in entry["reason"]
    await update_exam(db, admin, view.exam.id, {"max_attempts": 3})
    await delete_exam(db, admin, view.exam.id)


async def test_one_that_fails_keeps_no_other_from_being_resumed(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    broken, good = await draft(db), await draft(db)
    grading.failure = AWAY
    for one in (broken, good):
        with pytest.raises(AppError):
            await publish_exam(db, grading, admin, one.exam.id)
    grading.failure = None
    grading.breaks_at = {broken.exam.id}

    assert await resume_publications(db, grading, older_than=0) == 2

    assert [await status(db, one.exam.id) for one in (broken, good)] == ["publishing", "published"]


async def test_a_grading_that_is_away_is_waited_for_however_long(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    view = await draft(db)
    grading.failure = AWAY
    with pytest.raises(AppError):
        await publish_exam(db, grading, admin, view.exam.id)
    await age(db, view.exam.id)
    await resume_publications(db, grading, older_than=0)
    assert await status(db, view.exam.id) == "publishing"


async def test_many_publish_at_once_and_it_happens_once(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    view = await draft(db)
    done = await asyncio.gather(*(publish_exam(db, grading, admin, view.exam.id) for _ in range(8)))
    assert {one.exam.status for one in done} == {"published"}
    papers = grading.frozen[view.exam.id]
    assert all(paper == papers[0] for paper in papers)
    assert len(await events(db, EXAM_CHANGED, events_pb2.ExamChanged)) == 1
    (counted,) = await rows(db, "SELECT count(*) FROM audit WHERE action = 'exam.published'")
    assert counted["count"] == 1


async def test_a_change_of_title_while_publishing_arrives_with_the_publication(
    db: Database, admin: Actor, grading: FakeGrading
) -> None:
    view = await draft(db)
    grading.failure = AWAY
    with pytest.raises(AppError):
        await publish_exam(db, grading, admin, view.exam.id)
    await update_exam(db, admin, view.exam.id, {"title": "Chemistry"})
    grading.failure = None
    await publish_exam(db, grading, admin, view.exam.id)
    heard = await events(db, EXAM_CHANGED, events_pb2.ExamChanged)
    assert [(event.version, event.title) for event in heard] == [(1, "Chemistry"), (2, "Chemistry")]


async def test_the_paper_cache_reads_once_for_all_and_forgets_the_longest_unused(db: Database) -> None:
    made = [await published(db) for _ in range(3)]
    cache = PaperCache(db, size=2)
    found = await asyncio.gather(*(cache.get(made[0].exam.id) for _ in range(50)))
    assert all(paper is found[0] for paper in found)
    await cache.get(made[1].exam.id)
    await cache.get(made[0].exam.id)
    await cache.get(made[2].exam.id)
    await write(db, "DELETE FROM paper_questions")
    assert (await cache.get(made[0].exam.id)).question_count == 3
    assert (await cache.get(made[2].exam.id)).question_count == 3
    assert (await cache.get(made[1].exam.id)).question_count == 0


async def test_one_who_gives_up_does_not_take_the_paper_from_the_others(db: Database) -> None:
    view = await published(db)
    cache = PaperCache(db)
    first = asyncio.create_task(cache.get(view.exam.id))
    second = asyncio.create_task(cache.get(view.exam.id))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).question_count == 3
    assert first.cancelled() or first.cancelling()
