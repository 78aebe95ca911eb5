"""What a student sees of a grade, made when the grade is written and stored apart from it.

Two documents: one without anything of the key, one with the right answers and explanations, lettered as
the student saw the options. Reading a result never touches the keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grading_service.domain.key import ChoiceKey, Key, TrueFalseKey, to_document
from grading_service.domain.release import Reveal
from grading_service.domain.scoring import Mark


@dataclass(frozen=True)
class GradedItem:
    """One question of a graded attempt. `answer` is in authored letters, `shown` as the student saw it.

    `marked_score`: what a person gave, whether it counts or a regrade goes before it; `criteria`: by which
    lines of a rubric, for staff alone; `mark_version`: how often it was marked, or lost its mark.
    """

    question_id: str
    max_score: int
    mark: Mark
    answer: Any
    shown: Any
    comment: str = ""
    marked_by: str | None = None
    marked_score: int | None = None
    criteria: Sequence[Mapping[str, Any]] = ()
    mark_version: int = 0


def plain_items(items: Sequence[GradedItem]) -> list[dict[str, Any]]:
    """The result items without a trace of the key. Scores in hundredths."""
    return [
        {
            "question_id": item.question_id,
            "status": item.mark.status,
            "is_correct": item.mark.is_correct,
            "score": item.mark.score,
            "max_score": item.max_score,
            "answer": item.shown,
            "comment": item.comment,
        }
        for item in items
    ]


def revealing_items(
    plain: Sequence[dict[str, Any]],
    keys: Mapping[str, tuple[Key, str]],
    letterings: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """The plain items with the right answer and the explanation of each question."""
    return [
        item
        | {
            "correct": shown_key(keys[item["question_id"]][0], letterings.get(item["question_id"])),
            "explanation": keys[item["question_id"]][1],
        }
        for item in plain
    ]


def shown_changes(changes: Sequence[Mapping[str, Any]], reveal: Reveal | None) -> list[Mapping[str, Any]]:
    """What regrades did, as far as it may be told: beside a mere score neither the question nor its score."""
    if reveal is None:
        return []
    if reveal is Reveal.SCORE:
        withheld = {"question_id": None, "score_before": None, "score_after": None}
        return [{**change, **withheld} for change in changes]
    return list(changes)


def shown_key(key: Key, lettering: Sequence[str] | None) -> Any:
    """A key as the student is shown it; `lettering` holds the authored ids in the order shown as A, B, …"""
    match key:
        case ChoiceKey(correct):
            if lettering is None:
                return sorted(correct)
            return [chr(ord("A") + place) for place, authored in enumerate(lettering) if authored in correct]
        case TrueFalseKey(correct):
            return "true" if correct else "false"
        case _:
            return to_document(key)
