"""Saving: verdicts, ownership, time, the same question twice, and what the database refuses."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from exam_service.attempt_errors import AttemptHeld
from exam_service.domain.revision import MAX_REVISION, judge
from exam_service.domain.saving import NewAnswer, Save, SaveResult
from exam_service.usecases.save import store
from examkit.db import Database, Tx
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from .builders import write
from .sitting import Hall, outcomes, sent

TEXTS = ("text", "text", "text")


def fault(result: SaveResult) -> str:
    assert result.fault is not None
    assert not result.verdicts
    return result.fault.code


async def test_a_save_is_stored_and_the_clock_comes_along(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    who, sitting = await hall.sits(exam)
    first, *_ = sitting.paper.questions

    result = await hall.save(who, sitting.attempt.id, sent(first.question_id, "one", 3))

    assert result.fault is None
    assert outcomes(result) == ["stored"]
    assert result.verdicts[0].revision == 3
    assert result.clock is not None
    assert result.clock.deadline == sitting.attempt.deadline
    assert 3590 < result.clock.remaining_seconds <= 3600
    assert await hall.stored(sitting.attempt.id) == {first.question_id: ("one", 3)}
    assert (await hall.row(sitting.attempt.id))["last_activity"] > sitting.attempt.last_activity


async def test_revisions_decide(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    attempt = sitting.attempt.id

    steps = [
        (sent(question, "a", 5), "stored", 5),
        (sent(question, "a", 5), "repeat", 5),
        (sent(question, "b", 5), "conflict", 5),
        (sent(question, "old", 4), "superseded", 5),
        (sent(question, "a"), "stored", 6),
        (sent(question, None), "stored", 7),
        (sent(question, None, 7), "repeat", 7),
        (sent(question, "max", MAX_REVISION), "stored", MAX_REVISION),
        (sent(question, "max"), "repeat", MAX_REVISION),
        (sent(question, "more"), "conflict", MAX_REVISION),
    ]
    for answer, outcome, revision in steps:
        (verdict,) = (await hall.save(who, attempt, answer)).verdicts
        assert (verdict.outcome, verdict.revision) == (outcome, revision)
        assert (verdict.current is not None) == (outcome in {"conflict", "superseded"})
        assert (verdict.code == "conflict") == (outcome == "conflict")
    assert await hall.stored(attempt) == {question: ("max", MAX_REVISION)}


async def test_what_was_refused_comes_with_what_is_stored(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    await hall.save(who, sitting.attempt.id, sent(question, "kept", 2))

    (verdict,) = (await hall.save(who, sitting.attempt.id, sent(question, "late", 1))).verdicts

    assert verdict.current is not None
    assert (verdict.current.answer, verdict.current.revision) == ("kept", 2)
    assert verdict.saved_at == verdict.current.saved_at


async def test_without_revisions_saves_count_from_one(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id

    results = [await hall.save(who, sitting.attempt.id, sent(question, "same")) for _ in range(3)]

    assert [result.verdicts[0].revision for result in results] == [1, 2, 3]


async def test_a_bad_answer_costs_no_good_one(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(("single_choice", "numeric", "text")))
    choice, number, text = (question.question_id for question in sitting.paper.questions)

    result = await hall.save(
        who,
        sitting.attempt.id,
        sent(choice, "Z"),
        sent(number, "3.5"),
        sent(uuid4(), "which?"),
        sent(text, "good"),
        sent("nonsense", "x"),
        sent(text, "better", -1),
    )

    assert outcomes(result) == ["rejected", "stored", "rejected", "stored", "rejected", "rejected"]
    assert {verdict.code for verdict in result.verdicts if verdict.outcome == "rejected"} == {"invalid"}
    assert await hall.stored(sitting.attempt.id) == {number: ("3.5", 1), text: ("good", 1)}


async def test_the_attempt_of_another_student_is_nobodys(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    _, theirs = await hall.sits(exam)
    me, mine = await hall.sits(exam)
    question = theirs.paper.questions[0].question_id

    for attempt in (theirs.attempt.id, uuid4(), "nonsense"):
        assert fault(await hall.save(me, attempt, sent(question, "x"))) == "not_found"
    assert await hall.stored(theirs.attempt.id) == {}
    assert await hall.stored(mine.attempt.id) == {}


async def test_in_one_batch_nobody_rides_on_the_owners_check(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    owner, theirs = await hall.sits(exam)
    thief, mine = await hall.sits(exam)
    first, second, _ = (question.question_id for question in theirs.paper.questions)

    results = await hall.saver.save_batch(
        [
            hall.request(owner, theirs.attempt.id, sent(first, "owner")),
            hall.request(thief, theirs.attempt.id, sent(first, "thief", 99), sent(second, "thief")),
            hall.request(thief, mine.attempt.id, sent(second, "own")),
        ]
    )

    assert outcomes(results[0]) == ["stored"]
    assert fault(results[1]) == "not_found"
    assert outcomes(results[2]) == ["stored"]
    assert await hall.stored(theirs.attempt.id) == {first: ("owner", 1)}
    assert await hall.stored(mine.attempt.id) == {second: ("own", 1)}


async def test_the_statement_itself_is_keyed_by_student(hall: Hall, db: Database) -> None:
    """Even where everything before it failed to notice."""
    exam = await hall.exam(TEXTS)
    owner, theirs = await hall.sits(exam)
    thief = hall.admit()
    question = theirs.paper.questions[0].question_id
    now = time.monotonic()

    owners, thiefs = await store(
        db,
        [
            Save(owner.user_id, theirs.attempt.id, (NewAnswer(question, "owner", 1),), now),
            Save(thief.user_id, theirs.attempt.id, (NewAnswer(question, "thief", 9),), now),
        ],
    )

    assert outcomes(owners) == ["stored"]
    assert isinstance(thiefs.fault, AttemptHeld), "not there for this student, for all the statement knows"
    assert await hall.stored(theirs.attempt.id) == {question: ("owner", 1)}


async def test_each_save_of_a_batch_has_its_own_token(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    who, sitting = await hall.sits(exam)
    admin = hall.admit(role="admin")
    stranger = (await hall.sits(exam))[0]
    del hall.principals[str(stranger.user_id)]
    question = sitting.paper.questions[0].question_id

    results = await hall.saver.save_batch(
        [
            hall.request(stranger, sitting.attempt.id, sent(question, "x")),
            hall.request(admin, sitting.attempt.id, sent(question, "x")),
            hall.request(who, sitting.attempt.id, *[sent(question, "x")] * 201),
            hall.request(who, sitting.attempt.id, sent(question, "mine")),
        ]
    )

    assert [fault(result) for result in results[:3]] == ["unauthenticated", "forbidden", "invalid"]
    assert outcomes(results[3]) == ["stored"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("submitted", "already_submitted", "CONFLICT"),
        ("expired", "time_limit_exceeded", "REFUSED"),
        ("void", "attempt_void", "CONFLICT"),
        ("paused", "attempt_paused", "CONFLICT"),
    ],
)
async def test_only_an_attempt_in_progress_takes_answers(
    hall: Hall, db: Database, status: str, code: str, kind: str
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    await write(
        db,
        "UPDATE student_exams SET status = :s, closed_at = CASE WHEN :s <> 'paused' THEN now() END",
        s=status,
    )

    result = await hall.save(who, sitting.attempt.id, sent(question, "x"))

    assert fault(result) == code
    assert result.fault is not None
    assert result.fault.kind.name == kind
    assert await hall.stored(sitting.attempt.id) == {}


async def test_the_moment_the_request_came_in_is_what_counts(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    attempt = sitting.attempt.id

    await hall.move_deadline(attempt, -3)
    assert fault(await hall.save(who, attempt, sent(question, "late"), elapsed=1)) == "time_limit_exceeded"
    assert outcomes(await hall.save(who, attempt, sent(question, "held up"), elapsed=4.5)) == ["stored"]
    # Nobody is believed to have been held up for longer than five seconds.
    await hall.move_deadline(attempt, -6)
    assert fault(await hall.save(who, attempt, sent(question, "x"), elapsed=60)) == "time_limit_exceeded"
    assert await hall.stored(attempt) == {question: ("held up", 1)}


async def test_the_grace_is_not_for_saves(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=300))
    await hall.move_deadline(sitting.attempt.id, -1)

    result = await hall.save(who, sitting.attempt.id, sent(sitting.paper.questions[0].question_id, "x"))

    assert fault(result) == "time_limit_exceeded"
    assert result.clock is not None
    assert result.clock.remaining_seconds == 0


async def test_the_same_question_twice_in_a_batch_is_one_after_the_other(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second, _ = (question.question_id for question in sitting.paper.questions)
    attempt = sitting.attempt.id

    results = await hall.saver.save_batch(
        [
            hall.request(who, attempt, sent(first, "a", 2), sent(second, "x"), sent(first, "a", 2)),
            hall.request(who, attempt, sent(first, "b", 1), sent(first, "c", 2), sent(first, "d", 7)),
            hall.request(who, attempt, sent(first, "e"), sent(second, "y"), sent(second, "z")),
        ]
    )

    assert [outcomes(result) for result in results] == [
        ["stored", "stored", "repeat"],
        ["superseded", "conflict", "stored"],
        ["stored", "stored", "stored"],
    ]
    current = results[1].verdicts[0].current
    assert current is not None
    assert current.answer == "a"
    assert await hall.stored(attempt) == {first: ("e", 8), second: ("z", 3)}


async def test_a_late_one_before_one_in_time_of_the_same_question(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    await hall.move_deadline(sitting.attempt.id, -2)

    late, in_time = await hall.saver.save_batch(
        [
            hall.request(who, sitting.attempt.id, sent(question, "late", 9)),
            hall.request(who, sitting.attempt.id, sent(question, "in time", 1), elapsed=4),
        ]
    )

    assert fault(late) == "time_limit_exceeded"
    assert outcomes(in_time) == ["stored"]
    assert await hall.stored(sitting.attempt.id) == {question: ("in time", 1)}


answers = st.sampled_from(["a", "b", None])
revisions = st.none() | st.integers(0, 3) | st.just(MAX_REVISION)
batches = st.lists(
    st.lists(st.tuples(st.integers(0, 1), answers, revisions), min_size=1, max_size=4), min_size=1, max_size=4
)


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches)
def test_postgres_judges_as_the_pure_rule_does(model_hall: Any, batches: list[list[Any]]) -> None:
    """Any sequence of batches gives what one save after the other gives."""
    loop, hall, who, exam = model_hall

    async def scenario() -> None:
        await write(
            hall.db, "UPDATE student_exams SET status = 'void', closed_at = now() WHERE closed_at IS NULL"
        )
        await write(hall.db, "UPDATE exams SET max_attempts = 100")
        sitting = await hall.start(who, exam)
        ids = [question.question_id for question in sitting.paper.questions]
        model: dict[Any, tuple[Any, int]] = {}
        for batch in batches:
            wanted = []
            for place, answer, revision in batch:
                stored = model.get(ids[place])
                judged = judge(
                    None if stored is None else stored[1],
                    revision,
                    same_answer=stored is not None and stored[0] == answer,
                )
                if judged.outcome == "stored":
                    model[ids[place]] = (answer, judged.revision)
                wanted.append((judged.outcome, judged.revision))
            result = await hall.save(
                who, sitting.attempt.id, *[sent(ids[place], *rest) for place, *rest in batch]
            )
            assert [(verdict.outcome, verdict.revision) for verdict in result.verdicts] == wanted
        assert await hall.stored(sitting.attempt.id) == model

    loop.run_until_complete(scenario())


@pytest.fixture
def model_hall(database: Any) -> Any:
    """A hall on an event loop of its own: Hypothesis calls a plain function again and again."""
    from exam_service.repository.papers import PaperCache

    loop = asyncio.new_event_loop()
    db = Database(database.serve_dsn, schema="exam", pool_size=2)
    hall = Hall(db, PaperCache(db))
    exam = loop.run_until_complete(hall.exam(TEXTS))
    yield loop, hall, hall.admit(), exam
    loop.run_until_complete(db.close())
    loop.close()


async def test_one_that_is_closed_between_statement_and_judgement(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first statement wrote is graded; the save hears of the close, the others of their own."""
    exam = await hall.exam(TEXTS)
    (who, sitting), (other, theirs) = await hall.sits(exam), await hall.sits(exam)
    first, second, _ = (question.question_id for question in sitting.paper.questions)
    for student, at in ((who, sitting), (other, theirs)):
        await hall.save(student, at.attempt.id, sent(first, "kept", 5))

    transaction = Database.transaction

    def after_a_submit(db: Database) -> Any:
        monkeypatch.setattr(Database, "transaction", transaction)

        @asynccontextmanager
        async def submitted_first() -> AsyncIterator[Tx]:
            await hall.submit(who, sitting.attempt.id)
            async with transaction(db) as tx:
                yield tx

        return submitted_first()

    monkeypatch.setattr(Database, "transaction", after_a_submit)
    saves = [
        Save(
            student.user_id,
            at.attempt.id,
            (NewAnswer(first, "old", 4), NewAnswer(second, "new", 1)),
            time.monotonic(),
        )
        for student, at in ((who, sitting), (other, theirs))
    ]
    closed, judged = await store(hall.db, saves)
    assert fault(closed) == "already_submitted"
    assert outcomes(judged) == ["superseded", "stored"]
    assert judged.verdicts[0].current is not None
    assert judged.verdicts[0].current.answer == "kept"
    (event,) = await hall.closed_events(sitting.attempt.id)
    assert {answer.answer_json for answer in event.answers} == {b'"kept"', b'"new"'}


async def test_only_what_may_be_stored_twice_is_judged_apart(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second, _ = (question.question_id for question in sitting.paper.questions)
    ways: list[str] = []
    for way in ("statement", "transaction"):
        monkeypatch.setattr(Database, way, _noted(ways, way, getattr(Database, way)))
    for answers, expected in (
        ((NewAnswer(first, "a", 1), NewAnswer(second, "a", 1)), ["statement"]),
        ((NewAnswer(first, "a", 1), NewAnswer(second, "b", 2)), ["statement", "transaction"]),
        ((NewAnswer(first, "c", None), NewAnswer(second, "c", 3)), ["transaction"]),
        ((NewAnswer(first, "d", 8), NewAnswer(first, "e", 9)), ["transaction"]),
    ):
        ways.clear()
        (result,) = await store(hall.db, [Save(who.user_id, sitting.attempt.id, answers, time.monotonic())])
        assert result.fault is None
        assert ways == expected


def _noted(ways: list[str], way: str, real: Any) -> Any:
    def noted(db: Database) -> Any:
        ways.append(way)
        return real(db)

    return noted


async def test_a_refused_answer_names_what_of_it_is_at_fault(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(("numeric", "text")))
    number, text = (question.question_id for question in sitting.paper.questions)
    answers = (sent(uuid4(), "a", 1), sent(number, "many", 1), sent(text, "a", -1))
    result = await hall.save(who, sitting.attempt.id, *answers)
    assert [verdict.field for verdict in result.verdicts] == ["question_id", "answer", "revision"]
