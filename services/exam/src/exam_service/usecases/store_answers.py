"""Storing answers under the lock of their attempts, a verdict for each: what saves and submits share."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors
from exam_service.domain.answer import Answer
from exam_service.domain.revision import judge
from exam_service.domain.saving import NewAnswer, Save, SaveResult, StoredAnswer, Verdict
from exam_service.repository import saves as repository
from exam_service.repository.saves import Judged, Key

Place = tuple[int, int]
"""One answer in the batch: the number of its save, and its position there."""


async def store_answers(conn: AsyncConnection, saves: Sequence[Save]) -> list[SaveResult]:
    """Judge and write every save, in the order given; the attempts stay locked until the commit.

    The same question of an attempt twice is as if one save came after the other: the statement takes the
    first of each, and what follows it is judged here, by the same rule, on what is stored by then.
    What `repository.saves.write` sets aside has that as its fault.
    """
    first, later = _first_of_each(saves)
    judged = await repository.write(conn, saves, [(*at, _at(saves, at)) for at in first])
    verdicts: dict[Place, Verdict] = {}
    undecided = []
    for at in first:
        number, position = at
        revision = judged[number].applied.get(position)
        if revision is None:
            undecided.append(at)
        else:
            question = str(saves[number].answers[position].question_id)
            verdicts[at] = Verdict(question, "stored", revision, judged[number].saved_at)
    undecided = [at for at in undecided + later if judged[at[0]].fault is None]
    verdicts |= await _judge(conn, saves, judged, undecided)
    return [_result(number, save, judged[number], verdicts) for number, save in enumerate(saves)]


async def _judge(
    conn: AsyncConnection, saves: Sequence[Save], judged: Sequence[Judged], places: Sequence[Place]
) -> dict[Place, Verdict]:
    """Verdicts for what the statement did not write, one after the other."""
    keys = {at: _key(saves[at[0]], _at(saves, at)) for at in places}
    stored = await repository.current(conn, list(dict.fromkeys(keys.values())))
    newer: dict[Key, tuple[Answer, int]] = {}
    verdicts = {}
    for at, key in keys.items():
        sent, kept = _at(saves, at), stored.get(key)
        same = kept is not None and kept.answer == sent.answer
        judgement = judge(None if kept is None else kept.revision, sent.revision, same_answer=same)
        if judgement.outcome == "stored":
            saved_at = judged[at[0]].saved_at
            kept = StoredAnswer(sent.question_id, sent.answer, judgement.revision, saved_at)
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


def _result(number: int, save: Save, judged: Judged, verdicts: dict[Place, Verdict]) -> SaveResult:
    if judged.fault is not None:
        return SaveResult(fault=attempt_errors.fault(judged.fault), clock=judged.clock)
    return SaveResult(
        verdicts=[verdicts[number, position] for position in range(len(save.answers))],
        clock=judged.clock,
    )


def _first_of_each(saves: Sequence[Save]) -> tuple[list[Place], list[Place]]:
    """The places where an (attempt, question) stands for the first time, and the others, both in order."""
    seen: set[Key] = set()
    first: list[Place] = []
    later: list[Place] = []
    for number, save in enumerate(saves):
        for position, answer in enumerate(save.answers):
            key = _key(save, answer)
            (later if key in seen else first).append((number, position))
            seen.add(key)
    return first, later


def _at(saves: Sequence[Save], place: Place) -> NewAnswer:
    number, position = place
    return saves[number].answers[position]


def _key(save: Save, answer: NewAnswer) -> Key:
    return save.student_id, save.attempt_id, answer.question_id
