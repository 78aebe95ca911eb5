"""What counts for a question after regrades: decisions that are only added to, over answers that stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from examkit.errors import FieldError

from grading_service.domain.key import MANUAL, Key, QuestionType, faults
from grading_service.domain.scoring import Mark, Policy, mark

EXCLUDED = Mark("excluded", None, 0)


class RegradePolicy(StrEnum):
    """What was decided; a rollback says that an earlier decision does not stand."""

    REKEY = "rekey"
    FULL_MARKS = "full_marks"
    EXCLUDE = "exclude"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Regrade:
    """One decision about a question. `version` counts those of an exam from 1; a rekey alone has a key.

    `reason` is shown to students. `undoes`: what a rollback takes back.
    """

    id: UUID
    exam_id: UUID
    question_id: UUID
    version: int
    policy: RegradePolicy
    key: Key | None
    reason: str
    actor_id: UUID
    at: datetime
    undoes: UUID | None = None


@dataclass(frozen=True)
class Rule:
    """How a question is graded now: by `key`, unless `override` goes before every answer and mark."""

    key: Key
    override: RegradePolicy | None = None


def standing(regrades: Sequence[Regrade], question_id: UUID) -> list[Regrade]:
    """The decisions about this question that were not rolled back, the oldest first."""
    undone = {one.undoes for one in regrades}
    return [
        one
        for one in regrades
        if one.question_id == question_id
        and one.policy is not RegradePolicy.ROLLBACK
        and one.id not in undone
    ]


def rule_in_force(original: Key, regrades: Sequence[Regrade], question_id: UUID) -> Rule:
    """The last decision that stands counts; the key is that of the last standing rekey, else the original."""
    decided = standing(regrades, question_id)
    key = next((one.key for one in reversed(decided) if one.key is not None), original)
    last = decided[-1].policy if decided else RegradePolicy.REKEY
    return Rule(key, None if last is RegradePolicy.REKEY else last)


def earned(
    rule: Rule, kind: QuestionType, answer: Any, points: int, policy: Policy, marked_score: int | None
) -> Mark:
    """What an answer earns: a person's mark (hundredths) goes before the key, a decision before both."""
    if rule.override is RegradePolicy.EXCLUDE:
        return EXCLUDED
    if rule.override is RegradePolicy.FULL_MARKS:
        return Mark("graded", True, points)
    if marked_score is not None:
        return Mark("graded", marked_score == points, marked_score)
    return mark(kind, rule.key, answer, points, policy)


def regrade_faults(
    kind: QuestionType, option_ids: Sequence[str], policy: RegradePolicy, key: Key | None
) -> list[FieldError]:
    """What keeps this decision from fitting a question of this type and these options."""
    if policy is not RegradePolicy.REKEY:
        return [] if key is None else [FieldError(("key",), "A key goes with the policy rekey alone.")]
    if kind in MANUAL:
        return [FieldError(("policy",), f"A {kind} question has no key: give full marks, or exclude it.")]
    if key is None:
        return [FieldError(("key",), "Give the key that counts from now on.")]
    return faults(kind, option_ids, key)
