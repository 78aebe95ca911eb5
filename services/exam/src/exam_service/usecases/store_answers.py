"""Storing answers under the lock of their attempts, a verdict for each: what saves and submits share."""

from collections.abc import Sequence

from examkit.db import Database
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors
from exam_service.domain.answer import Answer
from exam_service.domain.revision import judge
from exam_service.domain.saving import NewAnswer, Save, SaveResult, StoredAnswer, Verdict
from exam_service.repository import saves as repository
from exam_service.repository.saves import Judged, Key

Place = tuple[int, int]
"""One answer in the batch: the number of its save, and its position there."""


async def store_batch(db: Database, saves: Sequence[Save]) -> list[SaveResult]:
    """Store these saves; committed on return. As a rule by one statement, which is its own transaction.

    What that did not write is judged under the lock, in a transaction after it. Others may have come between,
    so this way is only for what may be stored twice.
    """
    first, later = _first_of_each(saves)
    if later or not all(save.is_repeatable for save in saves):
        async with db.transaction() as tx:
            return await store_answers(tx.conn, saves)
    async with db.statement() as conn:
        judged = await _write(conn, saves, first)
    verdicts, undecided = _stored(saves, judged, first)
    faults = {}
    if undecided:
        again = _only(saves, undecided)
        async with db.transaction() as tx:
            results = await store_answers(tx.conn, [save for save, _ in again.values()])
        for (number, (_, places)), result in zip(again.items(), results, strict=True):
            if result.fault is not None:
                faults[number] = result
            else:
                verdicts |= zip(places, result.verdicts, strict=True)
    return [
        faults.get(number) or _result(number, save, judged[number], verdicts)
        for number, save in enumerate(saves)
    ]


async def store_answers(conn: AsyncConnection, saves: Sequence[Save]) -> list[SaveResult]:
    """Judge and write every save, in the order given; the attempts stay locked until the commit.

    The same question of an attempt twice is as if one save came after the other: the statement takes the
    first of each, and what follows it is judged here, by the same rule, on what is stored by then.
    What `repository.saves.write` sets aside has that as its fault.
    """
    first, later = _first_of_each(saves)
    judged = await _write(conn, saves, first)
    verdicts, undecided = _stored(saves, judged, first)
    undecided += [at for at in later if judged[at[0]].fault is None]
    verdicts |= await _judge(conn, saves, judged, undecided)
    return [_result(number, save, judged[number], verdicts) for number, save in enumerate(saves)]


async def _write(conn: AsyncConnection, saves: Sequence[Save], first: Sequence[Place]) -> list[Judged]:
    return await repository.write(conn, saves, [(*at, _at(saves, at)) for at in first])


def _stored(
    saves: Sequence[Save], judged: Sequence[Judged], first: Sequence[Place]
) -> tuple[dict[Place, Verdict], list[Place]]:
    """The verdicts on what was written; the places where nothing was, though the attempt is at no fault."""
    verdicts: dict[Place, Verdict] = {}
    undecided = []
    for at in first:
        number, position = at
        of_save = judged[number]
        revision = of_save.applied.get(position)
        if revision is not None:
            question = str(saves[number].answers[position].question_id)
            verdicts[at] = Verdict(question, "stored", revision, of_save.saved_at)
        elif of_save.fault is None:
            undecided.append(at)
    return verdicts, undecided


def _only(saves: Sequence[Save], places: Sequence[Place]) -> dict[int, tuple[Save, list[Place]]]:
    """By number: the saves of these places with those answers alone, and the places."""
    by_save: dict[int, list[Place]] = {}
    for at in places:
        by_save.setdefault(at[0], []).append(at)
    return {
        number: (replace(saves[number], answers=tuple(_at(saves, at) for at in those)), those)
        for number, those in by_save.items()
    }


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
    # By numbers: a UUID computes its hash in Python, each time.
    seen: set[tuple[int, int, int]] = set()
    first: list[Place] = []
    later: list[Place] = []
    for number, save in enumerate(saves):
        for position, answer in enumerate(save.answers):
            key = (save.student_id.int, save.attempt_id.int, answer.question_id.int)
            (later if key in seen else first).append((number, position))
            seen.add(key)
    return first, later


def _at(saves: Sequence[Save], place: Place) -> NewAnswer:
    number, position = place
    return saves[number].answers[position]


def _key(save: Save, answer: NewAnswer) -> Key:
    return save.student_id, save.attempt_id, answer.question_id
