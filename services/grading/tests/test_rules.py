"""Which rule counts after which decisions; grades that follow step by step end where new ones begin."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from grading_service.domain.key import ChoiceKey, Key, ManualKey, QuestionType
from grading_service.domain.regrading import Regrade, RegradePolicy, Rule, rule_in_force
from grading_service.domain.scoring import Policy, totals
from grading_service.domain.student_view import GradedItem
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import KeyedQuestion, Paper, PaperQuestion
from grading_service.usecases.apply_regrades import changed_by
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUESTIONS = [UUID(int=number) for number in (1, 2, 3)]
ABC = ("A", "B", "C")
A, B, C = (ChoiceKey(frozenset(letter)) for letter in ABC)
REKEY, FULL, EXCLUDE, ROLLBACK = RegradePolicy


def decide(
    before: Sequence[Regrade],
    policy: RegradePolicy,
    key: Key | None = None,
    question_id: UUID = QUESTIONS[0],
    undoes: UUID | None = None,
) -> Regrade:
    version = len(before) + 1
    exam_id = actor_id = UUID(int=9)
    return Regrade(
        UUID(int=100 + version), exam_id, question_id, version, policy, key, "", actor_id, NOW, undoes
    )


def rule(*steps: tuple[RegradePolicy, Any]) -> Rule:
    """After these decisions; a rollback names the place of what it undoes."""
    made: list[Regrade] = []
    for policy, what in steps:
        undoes = made[what].id if policy is ROLLBACK else None
        made.append(decide(made, policy, None if policy is ROLLBACK else what, undoes=undoes))
    return rule_in_force(A, made, QUESTIONS[0])


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ([], Rule(A)),
        ([(REKEY, B)], Rule(B)),
        ([(REKEY, B), (REKEY, C)], Rule(C)),
        ([(REKEY, B), (REKEY, C), (ROLLBACK, 1)], Rule(B)),
        ([(REKEY, B), (REKEY, C), (ROLLBACK, 0)], Rule(C)),
        ([(REKEY, B), (EXCLUDE, None)], Rule(B, EXCLUDE)),
        ([(EXCLUDE, None), (REKEY, B)], Rule(B)),
        ([(EXCLUDE, None), (FULL, None)], Rule(A, FULL)),
        ([(EXCLUDE, None), (FULL, None), (ROLLBACK, 1)], Rule(A, EXCLUDE)),
        ([(REKEY, B), (ROLLBACK, 0)], Rule(A)),
    ],
)
def test_the_last_decision_that_stands_counts(steps: list[Any], counts: Rule) -> None:
    assert rule(*steps) == counts


def test_other_questions_are_left_alone() -> None:
    assert rule_in_force(A, [decide([], REKEY, B, QUESTIONS[1])], QUESTIONS[0]) == Rule(A)


def paper() -> Paper:
    """Two choices and an essay, 2 points each; who guesses wrong loses half."""
    kinds: list[tuple[QuestionType, Key]] = [
        (QuestionType.SINGLE_CHOICE, A),
        (QuestionType.MULTI_CHOICE, ChoiceKey(frozenset("AB"))),
        (QuestionType.TEXT, ManualKey()),
    ]
    questions = [
        KeyedQuestion(PaperQuestion(one, one, kind, ABC, 200, place), key, Rule(key), "")
        for place, (one, (kind, key)) in enumerate(zip(QUESTIONS, kinds, strict=True))
    ]
    return Paper(UUID(int=9), Policy("partial", Decimal("0.5")), tuple(questions))


@st.composite
def decisions(draw: st.DrawFn) -> list[Regrade]:
    made: list[Regrade] = []
    for _ in range(draw(st.integers(0, 6))):
        undone = {one.undoes for one in made}
        open_ones = [one for one in made if one.policy is not ROLLBACK and one.id not in undone]
        policies = [FULL, EXCLUDE, REKEY, *([ROLLBACK] if open_ones else [])]
        policy = draw(st.sampled_from(policies))
        if policy is ROLLBACK:
            back = draw(st.sampled_from(open_ones))
            made.append(decide(made, policy, None, back.question_id, back.id))
            continue
        question = draw(st.sampled_from(QUESTIONS[:2] if policy is REKEY else QUESTIONS))
        key = draw(st.sampled_from([A, B, C])) if policy is REKEY else None
        made.append(decide(made, policy, key, question))
    return made


ANSWERS = st.fixed_dictionaries(
    {
        str(QUESTIONS[0]): st.sampled_from([None, "A", "B"]),
        str(QUESTIONS[1]): st.sampled_from([None, ["A"], ["A", "B"], ["C"]]),
        str(QUESTIONS[2]): st.sampled_from([None, "Words."]),
    }
)


def graded(by: Paper, answers: dict[str, Any], marked: int | None) -> list[GradedItem]:
    items = []
    for question_id, answer in answers.items():
        given_by_hand = marked if question_id == str(QUESTIONS[2]) and answer else None
        earned = by.earned(question_id, answer, given_by_hand)
        items.append(GradedItem(question_id, 200, earned, answer, answer, marked_score=given_by_hand))
    return items


@given(decisions(), ANSWERS, st.sampled_from([None, 0, 150]))
def test_step_by_step_is_as_at_once(
    decided: list[Regrade], answers: dict[str, Any], marked: int | None
) -> None:
    rules = paper()
    items = graded(rules, answers, marked)
    sums = totals((item.mark, item.max_score) for item in items)
    one = UUID(int=7)
    grade = GradedAttempt(one, one, rules.exam_id, 1, 2, "submitted", NOW, NOW, sums, {}, NOW)
    for regrade in decided:
        rules = rules.after(regrade)
        change = changed_by(rules, grade, items, NOW)
        grade, items = change.after, list(change.items)
    fresh = graded(rules, answers, marked)
    assert items == fresh
    assert grade.totals == totals((item.mark, item.max_score) for item in fresh)
    assert grade.rules_version == len(decided)
    assert 0 <= grade.totals.total <= grade.totals.max_possible
    assert len(grade.changes) <= len(decided)


@given(decisions(), ANSWERS)
def test_all_rolled_back_is_as_never_decided(decided: list[Regrade], answers: dict[str, Any]) -> None:
    rules = paper()
    undone = {one.undoes for one in decided}
    for regrade in decided:
        rules = rules.after(regrade)
    for one in decided:
        if one.policy is not ROLLBACK and one.id not in undone:
            rules = rules.after(decide(rules.regrades, ROLLBACK, None, one.question_id, one.id))
    assert replace(rules, regrades=()) == paper()
    assert graded(rules, answers, None) == graded(paper(), answers, None)
