"""Regrades as staff decide and read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from examprotos.exam.v1 import questions_pb2
from examprotos.grading.v1 import keys_pb2, regrading_pb2
from pydantic import AwareDatetime, Field

from exam_gateway.shapes import Id, In, Out
from exam_gateway.staff import question_shapes
from exam_gateway.staff.names import NOBODY, Person
from exam_gateway.staff.question_shapes import ChoiceKey, NumericKey, ShortTextKey, TrueFalseKey
from exam_gateway.wire import id_or_none, points, when

SHOWN = "Students whose score it changes are shown it: write nothing that they may not read."


class RegradeIn(In):
    question_id: Id
    policy: Literal["rekey", "full_marks", "exclude"]
    key: ChoiceKey | TrueFalseKey | NumericKey | ShortTextKey | None = Field(
        default=None, description="For `rekey`, and for it alone.", examples=[{"correct": ["C"]}]
    )
    reason: Annotated[str, Field(max_length=2_000, examples=["Both B and C are right."])] = Field(
        default="", description=SHOWN
    )


class RollbackIn(In):
    reason: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")] = Field(
        description=SHOWN, examples=["The first key was right after all."]
    )


class Standing(Out):
    score: float
    max_possible: float
    percentage: float


class Difference(Out):
    student_exam_id: UUID
    student_id: UUID
    attempt_no: int
    name: str | None = Field(description="null while the service that knows names is away.")
    email: str | None
    before: Standing
    after: Standing


class Regrade(Out):
    id: UUID | None = Field(description="null for a dry run.")
    exam_id: UUID
    question_id: UUID
    version: int = Field(description="Counts the exam's regrades, rollbacks included.")
    policy: Literal["rekey", "full_marks", "exclude", "rollback"]
    key: question_shapes.Key | None
    reason: str
    by: UUID
    by_name: str | None
    at: AwareDatetime
    undoes: UUID | None = Field(description="For a rollback: the regrade that it took back.")
    rolled_back_by: UUID | None
    complete: bool = Field(description="false while it has not reached every grade; it will.")
    changed: int = Field(description="Attempts whose result is another.")
    raised: int
    lowered: int


class RegradeReport(Regrade):
    dry_run: bool
    students: list[Difference] = Field(
        description="A dry run tells of every graded attempt, first those that it would change; "
        "a regrade of those that it changed."
    )
    bank_differs: bool | None = Field(
        description="For a rekey: the bank's question has another key now. null where that is not known."
    )
    bank_version: int | None = Field(description="The version of the bank's question.")


class Regrades(Out):
    items: list[Regrade]
    next_cursor: str | None


def request(exam_id: UUID, body: RegradeIn) -> regrading_pb2.RegradeRequest:
    return regrading_pb2.RegradeRequest(
        exam_id=str(exam_id),
        question_id=str(body.question_id),
        policy=body.policy,
        key=None if body.key is None else question_shapes.answer_key(body.key, None),
        reason=body.reason,
    )


def regrade(found: regrading_pb2.Regrade, names: Mapping[str, Person]) -> Regrade:
    return Regrade(**_regrade(found, names))


def report(
    found: regrading_pb2.RegradeReport,
    names: Mapping[str, Person],
    bank: tuple[questions_pb2.Question, keys_pb2.AnswerKey] | None,
) -> RegradeReport:
    """`bank`: what it holds of the question now, where that was asked and is known."""
    told = found.regrade
    return RegradeReport(
        **_regrade(told, names),
        dry_run=not told.id,
        students=[_difference(one, names.get(one.student_id, NOBODY)) for one in found.items],
        bank_differs=_key(bank[1]) != _key(told.key) if bank else None,
        bank_version=bank[0].version if bank else None,
    )


def _regrade(found: regrading_pb2.Regrade, names: Mapping[str, Person]) -> dict[str, Any]:
    return {
        "id": id_or_none(found.id),
        "exam_id": UUID(found.exam_id),
        "question_id": UUID(found.question_id),
        "version": found.version,
        "policy": found.policy,
        "key": _key(found.key) if found.HasField("key") else None,
        "reason": found.reason,
        "by": UUID(found.actor_id),
        "by_name": names.get(found.actor_id, NOBODY).name,
        "at": when(found.at),
        "undoes": id_or_none(found.undoes),
        "rolled_back_by": id_or_none(found.rolled_back_by),
        "complete": found.applied,
        "changed": found.changed,
        "raised": found.raised,
        "lowered": found.lowered,
    }


def _key(key: keys_pb2.AnswerKey) -> Any:
    """Options in one order, since it says nothing."""
    document = question_shapes.key_document(key)
    if document is not None and key.WhichOneof("key") == "choice":
        return {"correct": sorted(key.choice.correct)}
    return document


def _difference(one: regrading_pb2.Difference, person: Person) -> Difference:
    return Difference(
        student_exam_id=UUID(one.student_exam_id),
        student_id=UUID(one.student_id),
        attempt_no=one.attempt_no,
        name=person.name,
        email=person.email,
        before=_standing(one.before),
        after=_standing(one.after),
    )


def _standing(standing: regrading_pb2.Standing) -> Standing:
    return Standing(
        score=points(standing.total_score_hundredths),
        max_possible=points(standing.max_possible_hundredths),
        percentage=points(standing.percentage_hundredths),
    )
