"""The rules of grades: one for each closed attempt, of what was stored, worth what the oracle says."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.chaos.ending import AnswerRow, AttemptRow, Ending, GradeRow, ItemRow
from tests.chaos.history import Attempt, History, Json
from tests.chaos.violation import Violation
from tests.harness.oracle import Authored, points_for

Stored = dict[str, AnswerRow]


def check_grades(history: History, ending: Ending, bank: dict[str, Authored]) -> Iterator[Violation]:
    """Every rule for every closed attempt. `bank`: questions as authored, by text."""
    stored: dict[str, Stored] = defaultdict(dict)
    for row in ending.answers:
        stored[row.attempt][row.question] = row
    items: dict[str, list[ItemRow]] = defaultdict(list)
    for item in ending.items:
        items[item.attempt].append(item)
    grades: dict[str, list[GradeRow]] = defaultdict(list)
    for grade in ending.grades:
        grades[grade.attempt].append(grade)
    yield from _graded_once(ending, grades)
    for attempt in ending.attempts:
        if grades[attempt.id]:
            graded, shown = items[attempt.id], history.attempts.get(attempt.id)
            yield from _of_what_was_stored(attempt, stored[attempt.id], graded)
            yield from _worth(attempt, shown, bank, graded, grades[attempt.id][0])
    yield from _shown(history, ending, items)


def _graded_once(ending: Ending, grades: dict[str, list[GradeRow]]) -> Iterator[Violation]:
    told = Counter(attempt for attempt, _ in set(ending.graded))
    for attempt in ending.attempts:
        subject, made = f"attempt {attempt.id}", grades[attempt.id]
        if attempt.closed_at is None:
            if made:
                yield Violation("graded while open", subject, f"{len(made)} grades")
            continue
        if len(made) != 1 or made[0].version != attempt.version or made[0].status != attempt.status:
            yield Violation("not graded once", subject, f"{len(made)} grades: {made}")
        if attempt.announcements > 1:
            detail = f"it had to be announced {attempt.announcements} times"
            yield Violation("an event was lost", subject, detail, attempt.closed_at)
        elif told[attempt.id] != 1:
            yield Violation("not graded once", subject, f"{told[attempt.id]} events tell of its grade")
        if attempt.graded_version != attempt.version:
            yield Violation("an attempt is stuck", subject, "the exam service knows of no grade")


def _of_what_was_stored(attempt: AttemptRow, stored: Stored, items: list[ItemRow]) -> Iterator[Violation]:
    graded = {item.question: item.shown for item in items}
    if len(graded) != len(items):
        yield Violation("not graded once", f"attempt {attempt.id}", "a question has two items")
    for question in stored.keys() | graded.keys():
        kept = stored[question].answer if question in stored else None
        if graded.get(question) != kept:
            detail = f"question {question}: another answer is stored than was graded"
            at = attempt.closed_at or float("inf")
            yield Violation("acknowledged is not graded", f"attempt {attempt.id}", detail, at)


def _worth(
    attempt: AttemptRow,
    shown: Attempt | None,
    bank: dict[str, Authored],
    items: list[ItemRow],
    grade: GradeRow,
) -> Iterator[Violation]:
    subject = f"attempt {attempt.id}"
    if grade.total != sum(item.score or 0 for item in items):
        yield Violation("a wrong score", subject, f"the total {grade.total} is not the sum")
    if shown is None:
        return
    questions = {question["id"]: question for question in shown.questions}
    if questions.keys() != {item.question for item in items}:
        yield Violation("a wrong score", subject, "other questions were graded than asked")
        return
    for item in items:
        expected = _expected(questions[item.question], bank, item)
        if item.score != expected:
            detail = f"question {item.question}: {item.score} instead of {expected} hundredths"
            yield Violation("a wrong score", subject, detail)


def _expected(question: Json, bank: dict[str, Authored], item: ItemRow) -> int | None:
    if question["type"] == "text" and item.shown is not None:
        return None
    return int(points_for(question, bank[question["text"]], item.shown) * Decimal(100))


def _shown(history: History, ending: Ending, items: dict[str, list[ItemRow]]) -> Iterator[Violation]:
    """What students were shown of a complete grade is the grade."""
    totals = {grade.attempt: grade.total for grade in ending.grades}
    for result in history.results:
        body = result.body
        if body is None or body["total_score"] is None:
            continue
        graded = {item.question: (item.score, item.shown) for item in items[result.attempt]}
        seen = {
            one["question_id"]: (None if one["score"] is None else round(one["score"] * 100), one["answer"])
            for one in body["results"]
        }
        if round(body["total_score"] * 100) != totals.get(result.attempt) or seen != graded:
            subject = f"attempt {result.attempt}"
            yield Violation("a result is not the grade", subject, "the student sees other", result.call.ended)
