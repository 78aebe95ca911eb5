"""The checker on histories made by hand: silent on a good one, and each broken promise is found."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.chaos.checker import check
from tests.chaos.ending import AnswerRow, AttemptRow, Ending, GradeRow, ItemRow, Window
from tests.chaos.history import Attempt, Call, Grant, History, Result, Resume, Save, Start, Submit
from tests.harness.oracle import Authored

OPENS, ENDS, GRACE = 1000.0, 1040.0, 3.0
BANK = {
    "Is it?": Authored("true_false", "Is it?", True, (), Decimal(2)),
    "Why?": Authored("text", "Why?", None, (), Decimal(4)),
}
QUESTIONS = [
    {"id": "q1", "type": "true_false", "text": "Is it?", "options": [], "points": 2},
    {"id": "q2", "type": "text", "text": "Why?", "options": [], "points": 4},
]
TOLD = {"status": "submitted", "submitted_at": "then", "receipt": {"answers_digest": "d"}}


EXTRA = 6.0
"""Seconds that a grant of 10 % adds."""


def call(
    name: str, began: float, status: int = 200, code: str = "", lasted: float = 0.1, door: int = 0
) -> Call:
    return Call(name=name, began=began, ended=began + lasted, status=status, code=code, door=door)


def save(began: float, question: str, answer: str, sent: int | None, outcome: str, **more: Any) -> Save:
    status = {"unknown": 0, "conflict": 409, "rejected": 400}.get(outcome, 200)
    told = more.pop("told", sent if outcome in ("stored", "repeat") else None)
    made = call(more.pop("name", "save"), began, status, more.get("code", ""))
    return Save(
        call=made,
        attempt="a1",
        question=question,
        answer=answer,
        sent=sent,
        outcome=outcome,
        told=told,
        **more,
    )


def resume(began: float, **answers: tuple[int, str]) -> Resume:
    return Resume(
        call=call("resume", began),
        student="s1",
        exam="e1",
        attempt="a1",
        answers=dict(answers),
        questions=QUESTIONS,
    )


def submit(began: float, **more: Any) -> Submit:
    given: dict[str, Any] = {"closed_as": "submitted", "told": TOLD, "graded": True} | more
    return Submit(call=call("submit", began), attempt="a1", **given)


def good() -> tuple[History, Ending]:
    """A student who starts, saves in all ways, resumes, submits and sees the result."""
    history = History()
    history.attempts["a1"] = Attempt(
        id="a1",
        student="s1",
        exam="e1",
        questions=QUESTIONS,
        started_at=1001,
        deadline=ENDS,
        grace=GRACE,
    )
    history.starts = [Start(call=call("start", 1001, 201), student="s1", exam="e1", attempt="a1")]
    history.saves = [
        save(1002, "q1", "false", 1, "stored"),
        save(1003, "q1", "true", 2, "stored"),
        save(1003.5, "q1", "true", 2, "repeat"),
        save(1004, "q1", "false", 1, "superseded", told=2),
        save(1005, "q1", "false", 2, "conflict", told=2, code="conflict"),
        save(1006, "q2", "Because.", 1, "unknown"),
        save(1007, "q2", "Because of it.", None, "stored", told=2),
        save(1010, "q1", "true", 2, "stored", told=None, name="submit"),
        save(1012, "q1", "false", 3, "rejected", code="already_submitted"),
    ]
    history.resumes = [resume(1008, q1=(2, "true"), q2=(2, "Because of it."))]
    history.submits = [submit(1010), submit(1011)]
    shown = [
        {"question_id": "q1", "score": 2.0, "answer": "true"},
        {"question_id": "q2", "score": None, "answer": "Because of it."},
    ]
    result = Result(call=call("result", 1012), attempt="a1", body={"total_score": 2.0, "results": shown})
    history.results = [result]
    history.calls = [call("login", 999), call("save", 1002), call("save", 1003, 503, "unavailable")]
    ending = Ending(
        windows=[Window(exam="e1", opens=OPENS, ends=ENDS, duration=60)],
        attempts=[attempt_row()],
        answers=[answer_row("q1", "true", 2), answer_row("q2", "Because of it.", 2)],
        grades=[GradeRow(attempt="a1", version=2, status="submitted", total=200, graded_at=1010.2)],
        items=[item_row("q1", 200, "true"), item_row("q2", None, "Because of it.")],
        graded=[("a1", "event"), ("a1", "event")],
        queues={"exam.grades": 0, "exam.grades.dead": 0},
        outboxes={"exam": 0},
    )
    return history, ending


def attempt_row(**more: Any) -> AttemptRow:
    given: dict[str, Any] = {
        "id": "a1",
        "student": "s1",
        "exam": "e1",
        "status": "submitted",
        "version": 2,
        "started_at": 1001.0,
        "deadline": ENDS,
        "grace": GRACE,
        "closed_at": 1010.05,
        "announcements": 1,
        "graded_version": 2,
    }
    return AttemptRow(**given | more)


def answer_row(question: str, answer: str, revision: int) -> AnswerRow:
    return AnswerRow(attempt="a1", question=question, answer=answer, revision=revision)


def item_row(question: str, score: int | None, shown: str | None) -> ItemRow:
    return ItemRow(attempt="a1", question=question, score=score, shown=shown)


def test_a_good_history_is_let_pass() -> None:
    assert check(*good(), BANK) == []


Spoil = Callable[[History, Ending], None]


def saved(*saves: Save) -> Spoil:
    return lambda history, _ending: history.saves.extend(saves)


def resumed(*resumes: Resume) -> Spoil:
    return lambda history, _ending: history.resumes.extend(resumes)


def called(*calls: Call) -> Spoil:
    return lambda history, _ending: history.calls.extend(calls)


def submitted(*submits: Submit) -> Spoil:
    return lambda history, _ending: history.submits.extend(submits)


def ends_with(**parts: Any) -> Spoil:
    def spoil(_history: History, ending: Ending) -> None:
        for name, value in parts.items():
            setattr(ending, name, value)

    return spoil


def granted(began: float, status: int = 200, percent: int = 10) -> Spoil:
    made = Grant(call=call("grant", began, status), student="s1", exam="e1", percent=percent)
    return lambda history, _ending: history.grants.append(made)


def all_of(*spoils: Spoil) -> Spoil:
    def spoil(history: History, ending: Ending) -> None:
        for one in spoils:
            one(history, ending)

    return spoil


def row(**more: Any) -> Spoil:
    return ends_with(attempts=[attempt_row(**more)])


def _next_begun(closed_at: float) -> Spoil:
    """A second attempt, begun when the first was found to be over."""

    def spoil(history: History, ending: Ending) -> None:
        history.starts.append(Start(call=call("start", 1041, 0), student="s1", exam="e1"))
        history.submits = []
        more = {"started_at": closed_at + 0.01, "deadline": ENDS, "status": "expired"}
        ending.attempts = [
            attempt_row(status="expired", closed_at=closed_at),
            attempt_row(id="a2", closed_at=ENDS + GRACE + 6, **more),
        ]
        ending.grades = [replace(ending.grades[0], status="expired", graded_at=closed_at)]
        ending.grades.append(replace(ending.grades[0], attempt="a2", total=0, graded_at=ENDS + GRACE + 6))
        ending.graded = [("a1", "event"), ("a2", "event")]

    return spoil


def _expired(history: History, _ending: Ending) -> None:
    history.submits = [submit(1010, closed_as="expired")]


def _submitted_late(history: History, _ending: Ending) -> None:
    history.submits = [submit(ENDS + GRACE + 1)]


def _other_paper(history: History, _ending: Ending) -> None:
    history.resumes.append(replace(resume(1009, q1=(2, "true")), questions=QUESTIONS[:1], answers=None))


def _wrong_result(history: History, _ending: Ending) -> None:
    body = {"total_score": 2.0, "results": [{"question_id": "q1", "score": 2.0, "answer": "true"}]}
    history.results.append(Result(call=call("result", 1013), attempt="a1", body=body))


SPOILT: list[tuple[str, Spoil]] = [
    # what was acknowledged
    ("acknowledged is lost", saved(save(1008, "q1", "false", 7, "stored"))),
    ("acknowledged is lost", saved(save(1008, "q1", "false", 7, "repeat"))),
    ("acknowledged is lost", saved(save(1010, "q1", "false", 7, "stored", told=None, name="submit"))),
    ("acknowledged is lost", resumed(resume(1009, q1=(1, "false"), q2=(2, "Because of it.")))),
    ("acknowledged is lost", resumed(resume(1009, q1=(2, "true")))),
    ("acknowledged is lost", ends_with(answers=[answer_row("q1", "true", 2)])),
    ("acknowledged is lost", ends_with(attempts=[])),
    ("acknowledged is lost", saved(save(1010, "q1", "false", None, "stored", name="submit"))),
    # revisions
    ("an old answer came back", saved(save(1008, "q1", "true", 1, "stored"))),
    ("an old answer came back", saved(save(1008, "q1", "false", 1, "repeat"))),
    ("an old answer came back", saved(save(1008, "q1", "false", None, "stored", told=2))),
    ("a newer answer was turned away", saved(save(1008, "q1", "false", 5, "superseded", told=2))),
    ("two answers under one revision", saved(save(1003, "q1", "false", 2, "stored"))),
    ("two answers under one revision", saved(save(1003, "q1", "true", 2, "stored"))),
    ("an answer nobody gave", resumed(resume(1009, q1=(2, "true"), q2=(9, "Because of it.")))),
    ("an answer nobody gave", ends_with(answers=[answer_row("q1", "yes", 2), answer_row("q2", "x", 2)])),
    # time and closing
    ("taken after the deadline", saved(save(ENDS + 0.1, "q2", "Late.", 9, "stored"))),
    ("taken after the deadline", _submitted_late),
    ("taken after the deadline", row(closed_at=ENDS + GRACE + 5.1)),
    ("taken after the submit", saved(save(1010.5, "q1", "true", 2, "repeat"))),
    ("refused in time", saved(save(1008, "q1", "true", 5, "rejected", code="already_submitted"))),
    ("refused in time", saved(save(1008, "q1", "true", 5, "rejected", code="time_limit_exceeded"))),
    (
        "refused in time",
        saved(save(1010, "q1", "x", 5, "rejected", code="time_limit_exceeded", name="submit")),
    ),
    (
        "refused in time",
        resumed(replace(resume(1008), call=call("resume", 1008, 404, "not_found"), answers=None)),
    ),
    ("refused in time", _expired),
    ("a submit changed", submitted(submit(1012, told=TOLD | {"submitted_at": "later"}))),
    ("a deadline moved", row(deadline=ENDS + 1)),
    ("a deadline moved", row(started_at=970.0)),
    ("an attempt is stuck", row(status="in_progress", closed_at=None)),
    ("an attempt is stuck", row(graded_version=0)),
    ("an attempt is stuck", row(status="expired", closed_at=ENDS + 100)),
    ("closed before its time", row(status="expired", closed_at=ENDS + 1)),
    ("closed before its time", _next_begun(closed_at=ENDS - 1)),
    ("two attempts at once", ends_with(attempts=[attempt_row(), attempt_row(id="a2", started_at=1005.0)])),
    ("an attempt nobody started", ends_with(attempts=[attempt_row(), attempt_row(id="a2")])),
    ("the paper changed", _other_paper),
    # extra time
    ("a deadline moved", granted(1005)),
    ("a deadline moved", all_of(granted(1012, percent=5), row(deadline=ENDS + EXTRA))),
    ("a deadline moved", all_of(granted(1020), row(deadline=ENDS + EXTRA))),
    ("a deadline moved", all_of(granted(1005), resumed(replace(resume(1009), deadline=ENDS)))),
    ("a deadline moved", all_of(granted(1009), resumed(replace(resume(1008), deadline=ENDS + EXTRA)))),
    (
        "taken after the deadline",
        all_of(granted(1005), saved(save(ENDS + EXTRA + 0.1, "q2", "x", 9, "stored"))),
    ),
    (
        "refused in time",
        all_of(
            granted(1005, status=0),
            granted(1006),
            saved(save(ENDS + 1, "q1", "x", 5, "rejected", code="time_limit_exceeded", name="submit")),
        ),
    ),
    # grades
    ("not graded once", ends_with(grades=[])),
    ("not graded once", ends_with(grades=2 * good()[1].grades)),
    ("not graded once", ends_with(grades=[replace(good()[1].grades[0], version=1)])),
    ("not graded once", ends_with(graded=[])),
    ("not graded once", ends_with(graded=[("a1", "event"), ("a1", "another")])),
    ("not graded once", ends_with(items=2 * good()[1].items)),
    ("graded while open", row(closed_at=None)),
    ("an event was lost", row(announcements=2)),
    (
        "acknowledged is not graded",
        ends_with(items=[item_row("q1", 0, "false"), item_row("q2", None, "Because of it.")]),
    ),
    ("a wrong score", ends_with(items=[item_row("q1", 100, "true"), item_row("q2", None, "Because of it.")])),
    ("a wrong score", ends_with(items=[item_row("q1", 200, "true"), item_row("q2", 0, "Because of it.")])),
    ("a wrong score", ends_with(items=[item_row("q1", 200, "true")])),
    ("a result is not the grade", _wrong_result),
    # the whole
    ("an unexpected answer", called(call("save", 1003, 500, "internal"))),
    ("an unexpected answer", called(call("resume", 1003, 401, "unauthenticated"))),
    ("it did not heal", ends_with(settled_in=None)),
    ("it did not heal", saved(save(1056, "q1", "true", 2, "unknown"))),
    (
        "it did not heal",
        saved(
            replace(save(1003.6, "q1", "true", 2, "repeat"), call=call("save", 1003.6, door=1)),
            replace(save(1056, "q1", "true", 2, "unknown"), call=call("save", 1056, 0, door=1)),
        ),
    ),
    ("it did not heal", called(call("login", 1050, 503, "unavailable"))),
    ("it did not heal", ends_with(consumers={"exam.grades": (2, 1)})),
    ("it did not heal", ends_with(grades=[replace(good()[1].grades[0], graded_at=1060)])),
    ("it did not heal", ends_with(not_ready=["grading"])),
    ("something is left", ends_with(queues={"exam.grades.dead": 1})),
    ("something is left", ends_with(outboxes={"exam": 1})),
]


@pytest.mark.parametrize(("rule", "spoil"), SPOILT)
def test_a_broken_promise_is_found(rule: str, spoil: Spoil) -> None:
    history, ending = good()
    spoil(history, ending)
    assert rule in {violation.rule for violation in check(history, ending, BANK)}


@pytest.mark.parametrize(
    "spoil",
    [
        # Whether it took effect is unknown: both ends are right.
        saved(save(1009, "q1", "false", 9, "unknown")),
        # Two at once: either may have come first.
        saved(save(1003.05, "q1", "true", 2, "repeat")),
        # The second try inside of one that was stored found it overtaken.
        saved(save(1002.05, "q1", "false", 1, "superseded", told=2)),
        # Who begins anew gives up what is left of the grace.
        _next_begun(closed_at=ENDS + 1),
        # Extra time that was asked for may count or not, until it is acknowledged.
        granted(1009, status=0),
        all_of(granted(1009, status=0), row(deadline=ENDS + EXTRA)),
        all_of(
            granted(1009),
            row(deadline=ENDS + EXTRA),
            resumed(replace(resume(1009.5, q1=(2, "true"), q2=(2, "Because of it.")), deadline=ENDS + EXTRA)),
            saved(replace(save(1009, "q2", "x", 1, "superseded", told=2), call=call("save", ENDS + 5))),
        ),
        # In time when it came in, answered after the deadline.
        saved(replace(save(1009, "q2", "x", 1, "superseded", told=2), call=call("save", ENDS - 0.01))),
    ],
)
def test_what_may_be_is_let_pass(spoil: Spoil) -> None:
    history, ending = good()
    history.submits, history.saves = [], [one for one in history.saves if not one.closes]
    history.saves = [one for one in history.saves if one.code != "already_submitted"]
    spoil(history, ending)
    assert check(history, ending, BANK) == []


def test_the_earliest_comes_first() -> None:
    history, ending = good()
    saved(save(1008, "q1", "false", 7, "stored"))(history, ending)
    called(call("save", 1002, 500, "internal"))(history, ending)
    assert [one.rule for one in check(history, ending, BANK)][:2] == [
        "an unexpected answer",
        "acknowledged is lost",
    ]
