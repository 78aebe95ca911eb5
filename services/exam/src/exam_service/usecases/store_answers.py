"""Storing answers under the lock of their attempts, a verdict for each: what saves and submits share."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors
from exam_service.domain.answer import Answer
from exam_service.domain.revision import judge
from exam_service.domain.saving import NewAnswer, Save, SaveResult, StoredAnswer, Verdict
from exam_service.repository import saves as repository
from exam_service.repository.saves import Judged, Key


@dataclass(frozen=True, slots=True)
class _Place:
    """One answer in the batch: of save number `save`, there at position `answer`."""

    save: int
    answer: int


async def store_answers(conn: AsyncConnection, saves: Sequence[Save]) -> list[SaveResult]:
    """Judge and write every save, in the order given; the attempts stay locked until the commit.

    The same question of an attempt twice is as if one save came after the other: the statement takes the
    first of each, and what follows it is judged here, by the same rule, on what is stored by then.
    """
    first, later = _first_of_each(saves)
    judged = await repository.write(
        conn, saves, [(at.save, saves[at.save].answers[at.answer]) for at in first]
    )
    verdicts: dict[_Place, Verdict] = {}
    undecided = []
    for at in first:
        answer = saves[at.save].answers[at.answer]
        revision = judged[at.save].applied.get(answer.question_id)
        if revision is None:
            undecided.append(at)
        else:
            verdicts[at] = Verdict(str(answer.question_id), "stored", revision, judged[at.save].saved_at)
    undecided = [at for at in undecided + later if judged[at.save].fault is None]
    verdicts |= await _judge(conn, saves, judged, undecided)
    return [_result(number, save, judged[number], verdicts) for number, save in enumerate(saves)]


async def _judge(
    conn: AsyncConnection, saves: Sequence[Save], judged: Sequence[Judged], places: Sequence[_Place]
) -> dict[_Place, Verdict]:
    """Verdicts for what the statement did not write, one after the other."""
    keys = {at: _key(saves[at.save], saves[at.save].answers[at.answer]) for at in places}
    stored = await repository.current(conn, list(dict.fromkeys(keys.values())))
    newer: dict[Key, tuple[Answer, int]] = {}
    verdicts = {}
    for at, key in keys.items():
        sent, kept = saves[at.save].answers[at.answer], stored.get(key)
        same = kept is not None and kept.answer == sent.answer
        judgement = judge(None if kept is None else kept.revision, sent.revision, same_answer=same)
        if judgement.outcome == "stored":
            kept = StoredAnswer(sent.question_id, sent.answer, judgement.revision, judged[at.save].saved_at)
            stored[key], newer[key] = kept, (sent.answer, judgement.revision)
        verdicts[at] = _verdict(judgement.outcome, kept)
    await repository.replace(conn, newer)
    return verdicts


def _verdict(outcome: str, kept: StoredAnswer | None) -> Verdict:
    if kept is None:
        raise AssertionError("where nothing was stored the answer is stored now")
    conflict = outcome == "conflict"
    return Verdict(
        str(kept.question_id),
        outcome,
        kept.revision,
        kept.saved_at,
        current=kept if outcome in {"conflict", "superseded"} else None,
        code="conflict" if conflict else "",
        detail="Another answer is stored under this revision." if conflict else "",
    )


def _result(number: int, save: Save, judged: Judged, verdicts: dict[_Place, Verdict]) -> SaveResult:
    if judged.fault is not None:
        return SaveResult(fault=attempt_errors.fault(judged.fault), clock=judged.clock)
    return SaveResult(
        verdicts=[verdicts[_Place(number, position)] for position in range(len(save.answers))],
        clock=judged.clock,
    )


def _first_of_each(saves: Sequence[Save]) -> tuple[list[_Place], list[_Place]]:
    """The places where an (attempt, question) stands for the first time, and the others, both in order."""
    seen: set[Key] = set()
    first: list[_Place] = []
    later: list[_Place] = []
    for number, save in enumerate(saves):
        for position, answer in enumerate(save.answers):
            key = _key(save, answer)
            (later if key in seen else first).append(_Place(number, position))
            seen.add(key)
    return first, later


def _key(save: Save, answer: NewAnswer) -> Key:
    return save.student_id, save.attempt_id, answer.question_id
