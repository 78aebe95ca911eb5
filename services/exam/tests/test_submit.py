"""Submitting: what is closed, what goes to grading, grace, and doing it twice."""

import json
from typing import Any

import pytest
from exam_service.domain.answer import digest
from exam_service.domain.attempt import Status
from exam_service.domain.shuffle import letterings
from exam_service.usecases import submit as module
from exam_service.usecases.submit import Submitted, get_submission
from examkit.db import Database
from examkit.errors import AppError

from .builders import rows, write
from .sitting import Hall, outcomes, sent

TEXTS = ("text", "text", "text")


def refusals(done: Submitted) -> list[tuple[str, str]]:
    return [(verdict.outcome, verdict.code) for verdict in done.rejected]


async def test_everything_answered_is_closed_translated_and_receipted(hall: Hall) -> None:
    exam = await hall.exam()
    who, sitting = await hall.sits(exam)
    attempt, questions = sitting.attempt, sitting.paper.questions
    by_type = {question.type: question.question_id for question in questions}
    await hall.save(who, attempt.id, sent(by_type["single_choice"], "B"), sent(by_type["text"], "gone"))
    await hall.save(who, attempt.id, sent(by_type["text"], None))

    done = await hall.submit(
        who, attempt.id, sent(by_type["multi_choice"], ["D", "A"]), sent(by_type["numeric"], "4")
    )

    assert done.attempt.status is Status.SUBMITTED
    assert done.attempt.version == attempt.version + 1
    assert done.rejected == []
    shown: dict[Any, Any] = {
        by_type["single_choice"]: "B",
        by_type["multi_choice"]: ["D", "A"],
        by_type["numeric"]: "4",
    }
    assert done.attempt.answers_digest == digest(shown)
    assert done.attempt.answer_count == 3
    (event,) = await hall.closed_events()
    assert (event.status, event.attempt_version) == ("submitted", 2)
    assert {a.question_id: json.loads(a.shown_json or a.answer_json) for a in event.answers} == {
        str(question): answer for question, answer in shown.items()
    }
    chosen = letterings(sitting.paper, attempt.seed, True)
    graded = {a.question_id: json.loads(a.answer_json) for a in event.answers}
    for kind in ("single_choice", "multi_choice"):
        lettering = chosen[by_type[kind]]
        assert graded[str(by_type[kind])] == lettering.translate(shown[by_type[kind]])
    assert {each.question_id: tuple(each.authored_ids) for each in event.letterings} == {
        str(question): lettering.authored_ids for question, lettering in chosen.items()
    }


async def test_again_is_the_same_and_brings_nothing_new(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second, third = (question.question_id for question in sitting.paper.questions)
    attempt = sitting.attempt.id
    done = await hall.submit(who, attempt, sent(first, "a", 3), sent(second, "b"))

    again = await hall.submit(
        who,
        attempt,
        sent(first, "a", 3),
        sent(second, "b"),
        sent(third, None),
        sent(third, "new", 1),
        sent(first, "old", 2),
        sent(first, "other", 3),
        sent(first, "newer", 4),
        sent(second, 5),
    )

    assert (again.attempt, again.submitted_at) == (done.attempt, done.submitted_at)
    assert refusals(again) == [
        ("rejected", "already_submitted"),
        ("superseded", "superseded"),
        ("conflict", "conflict"),
        ("rejected", "already_submitted"),
        ("rejected", "invalid"),
    ]
    assert await hall.stored(attempt) == {first: ("a", 3), second: ("b", 1)}
    assert len(await hall.closed_events()) == 1


async def test_the_answers_sent_along_follow_the_rule_of_revisions(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second, third = (question.question_id for question in sitting.paper.questions)
    await hall.save(who, sitting.attempt.id, *(sent(each, "saved", 5) for each in (first, second, third)))

    done = await hall.submit(
        who, sitting.attempt.id, sent(first, "old", 4), sent(second, "other", 5), sent(third, "new", 6)
    )

    assert refusals(done) == [("superseded", "superseded"), ("conflict", "conflict")]
    assert [verdict.current.answer for verdict in done.rejected if verdict.current] == ["saved", "saved"]
    assert await hall.stored(sitting.attempt.id) == {
        first: ("saved", 5),
        second: ("saved", 5),
        third: ("new", 6),
    }


async def test_within_the_grace_the_answers_sent_along_count(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=30))
    question = sitting.paper.questions[0].question_id
    await hall.move_deadline(sitting.attempt.id, -20)

    done = await hall.submit(who, sitting.attempt.id, sent(question, "just in time"))

    assert done.attempt.status is Status.SUBMITTED
    assert done.rejected == []
    (event,) = await hall.closed_events()
    assert [answer.answer_json for answer in event.answers] == [b'"just in time"']


@pytest.mark.parametrize(("elapsed", "status"), [(0.0, "expired"), (4.0, "submitted"), (60.0, "submitted")])
async def test_the_arrival_decides_whether_it_is_within_the_grace(
    hall: Hall, elapsed: float, status: str
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=10))
    await hall.move_deadline(sitting.attempt.id, -13)

    done = await hall.submit(who, sitting.attempt.id, elapsed=elapsed)

    assert done.attempt.status.value == status


async def test_after_the_grace_it_is_expired_with_what_was_saved(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=30))
    first, second, _ = (question.question_id for question in sitting.paper.questions)
    await hall.save(who, sitting.attempt.id, sent(first, "saved"))
    await hall.move_deadline(sitting.attempt.id, -31)

    done = await hall.submit(who, sitting.attempt.id, sent(second, "late"), sent(first, "saved"))
    again = await hall.submit(who, sitting.attempt.id, sent(second, "late"), sent(first, "saved"))

    assert done.attempt.status is Status.EXPIRED
    assert refusals(done) == refusals(again) == [("rejected", "time_limit_exceeded")]
    assert again.attempt == done.attempt
    assert await hall.stored(sitting.attempt.id) == {first: ("saved", 1)}
    (event,) = await hall.closed_events()
    assert (event.status, len(event.answers)) == ("expired", 1)


@pytest.mark.parametrize(
    ("status", "code"), [("void", "attempt_void"), ("paused", "attempt_paused"), ("", "not_found")]
)
async def test_void_paused_and_foreign_attempts_are_not_closed(
    hall: Hall, db: Database, status: str, code: str
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    if status:
        await write(
            db,
            "UPDATE student_exams SET status = :s, closed_at = CASE WHEN :s = 'void' THEN now() END",
            s=status,
        )
    else:
        who = hall.admit()

    with pytest.raises(AppError) as error:
        await hall.submit(who, sitting.attempt.id, sent(sitting.paper.questions[0].question_id, "x"))

    assert error.value.code == code
    assert await hall.closed_events() == []
    assert await hall.stored(sitting.attempt.id) == {}


async def test_a_submission_can_be_read_again_once_it_is_there(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    attempt = str(sitting.attempt.id)

    with pytest.raises(AppError, match="not_found"):
        await get_submission(db, hall.papers, who, attempt)
    done = await hall.submit(who, attempt)

    assert await get_submission(db, hall.papers, who, attempt) == Submitted(done.attempt, done.paper, ())
    with pytest.raises(AppError, match="not_found"):
        await get_submission(db, hall.papers, hall.admit(), attempt)


async def test_whose_time_is_up_has_submitted_before_the_sweeper_comes(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    attempt = sitting.attempt.id
    await hall.move_deadline(attempt, -1)

    read = await get_submission(db, hall.papers, who, str(attempt))

    row = await hall.row(attempt)
    assert (row["status"], row["closed_at"]) == ("in_progress", None)
    assert (read.attempt.status, read.submitted_at) == (Status.EXPIRED, row["deadline"])
    await write(db, "UPDATE student_exams SET status = 'paused'")
    with pytest.raises(AppError, match="not_found"):
        await get_submission(db, hall.papers, who, str(attempt))


async def test_an_answer_that_cannot_be_stored_does_not_keep_the_exam_open(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second, third = (question.question_id for question in sitting.paper.questions)
    monkeypatch.setattr("exam_service.domain.answer._check_text", lambda *_: None)
    monkeypatch.setitem(module.judging.__globals__, "parse", lambda _q, raw: json.loads(raw))

    done = await hall.submit(
        who, sitting.attempt.id, sent(first, "good"), sent(second, "nul \x00"), sent(third, "good")
    )

    assert done.attempt.status is Status.SUBMITTED
    assert refusals(done) == [("rejected", "invalid")]
    assert set(await hall.stored(sitting.attempt.id)) == {first, third}


async def test_nothing_is_closed_without_its_event(hall: Hall, db: Database) -> None:
    """The change and its event commit together, or neither does."""
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await write(db, "DELETE FROM outbox")
    question = sitting.paper.questions[0].question_id

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exam_service.usecases.close_attempt.attempt_closed", _fail)
        with pytest.raises(RuntimeError):
            await hall.submit(who, sitting.attempt.id, sent(question, "x"))

    assert (await hall.row(sitting.attempt.id))["status"] == "in_progress"
    assert await rows(db, "SELECT 1 FROM outbox") == []
    assert await hall.stored(sitting.attempt.id) == {}
    assert outcomes(await hall.save(who, sitting.attempt.id, sent(question, "x"))) == ["stored"]


def _fail(*_: object, **__: object) -> None:
    raise RuntimeError("no event")
