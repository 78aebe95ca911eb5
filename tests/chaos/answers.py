"""The rules of one question's answers: a register that only moves up, by revisions that clients choose.

What was acknowledged before something began is a floor under it. An answer without a reply may or may not be
there, and so may one that was refused for its attempt's state: the gateway sends a save again whose reply it
lost, and the second try can find what the first has stored overtaken, or the attempt closed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from tests.chaos.ending import Ending
from tests.chaos.history import Answer, History, Save
from tests.chaos.violation import Violation

NOTHING = (-1, None)


@dataclass(frozen=True, slots=True)
class Seen:
    """A revision and its answer that somebody was shown between two moments; `where` says by what."""

    began: float
    ended: float
    revision: int
    answer: Answer
    where: str


@dataclass
class Question:
    """All that was said of one question of one attempt. `sights`: resumes, and the end as the last one."""

    name: str
    saves: list[Save] = field(default_factory=list)
    sights: list[Seen] = field(default_factory=list)


def check_answers(history: History, ending: Ending) -> Iterator[Violation]:
    """Every rule for every question of every attempt."""
    for question in _questions(history, ending).values():
        floors = _floors(question)
        yield from _nothing_is_lost(question, floors)
        yield from _nothing_goes_back(question, floors)
        yield from _one_answer_a_revision(question, floors)
        yield from _nothing_is_invented(question)


def _questions(history: History, ending: Ending) -> dict[tuple[str, str], Question]:
    found: dict[tuple[str, str], Question] = {}

    def of(attempt: str, question: str) -> Question:
        name = f"attempt {attempt}, question {question}"
        return found.setdefault((attempt, question), Question(name))

    asked: dict[str, set[str]] = defaultdict(set)
    for save in history.saves:
        of(save.attempt, save.question).saves.append(save)
        asked[save.attempt].add(save.question)
    for resume in history.resumes:
        if resume.answers is not None:
            call = resume.call
            for one in asked[resume.attempt] | resume.answers.keys():
                revision, answer = resume.answers.get(one, NOTHING)
                of(resume.attempt, one).sights.append(
                    Seen(call.began, call.ended, revision, answer, "resume")
                )
    last = {(row.attempt, row.question): (row.revision, row.answer) for row in ending.answers}
    for attempt, one in found.keys() | last.keys():
        revision, answer = last.get((attempt, one), NOTHING)
        seen = Seen(float("inf"), float("inf"), revision, answer, "the end")
        of(attempt, one).sights.append(seen)
    return found


def _floors(question: Question) -> list[Seen]:
    """What is known to have been stored, in the order in which it became known."""
    known = [
        Seen(save.call.began, save.call.ended, save.told, save.answer, save.outcome)
        for save in question.saves
        if save.is_acknowledged and save.told is not None
    ]
    known += [seen for seen in question.sights if seen.revision >= 0]
    return sorted(known, key=attrgetter("ended"))


def _nothing_is_lost(question: Question, floors: list[Seen]) -> Iterator[Violation]:
    for seen, floor in _with_floor(question.sights, floors):
        if seen.revision < floor.revision:
            yield Violation(
                "acknowledged is lost",
                question.name,
                f"{seen.where} shows revision {seen.revision} after {floor.where} of {floor.revision}",
                seen.began if seen.where != "the end" else floor.ended,
            )
    (last,) = (seen for seen in question.sights if seen.where == "the end")
    for save in question.saves:
        if not (save.closes and save.is_acknowledged) or last.answer == save.answer:
            continue
        # With a submit it is enough that the same answer was there already. One without a revision is the
        # last there can be: the attempt is closed by the same transaction.
        if save.sent is None or last.revision < save.sent:
            detail = f"the end shows revision {last.revision} after a submit with {save.sent}"
            yield Violation("acknowledged is lost", question.name, detail, save.call.ended)


def _nothing_goes_back(question: Question, floors: list[Seen]) -> Iterator[Violation]:
    told = [save for save in question.saves if not save.closes and save.told is not None]
    sights = [Seen(save.call.began, save.call.ended, save.told or 0, save.answer, "") for save in told]
    pairs = zip(told, _with_floor(sights, floors, all_of_them=True), strict=True)
    for save, (seen, floor) in pairs:
        moment = save.call.ended
        if save.outcome == "stored" and floor.revision >= seen.revision:
            detail = f"{seen.revision} was stored after {floor.where} of {floor.revision}"
            yield Violation("an old answer came back", question.name, detail, moment)
        if save.outcome == "repeat" and floor.revision > seen.revision:
            detail = f"{seen.revision} was a repeat after {floor.where} of {floor.revision}"
            yield Violation("an old answer came back", question.name, detail, moment)
        if save.outcome == "superseded" and save.sent is not None and seen.revision <= save.sent:
            detail = f"{save.sent} was superseded by {seen.revision}"
            yield Violation("a newer answer was turned away", question.name, detail, moment)


def _with_floor(
    sights: Iterable[Seen], floors: list[Seen], *, all_of_them: bool = False
) -> Iterator[tuple[Seen, Seen]]:
    """Each with the highest that was known before it began; in the order given, those without any left out
    unless all are wanted."""
    nothing = Seen(0, 0, -1, None, "nothing")
    highest: dict[int, Seen] = {}
    given = list(sights)
    place, top = 0, nothing
    for number in sorted(range(len(given)), key=lambda one: given[one].began):
        while place < len(floors) and floors[place].ended <= given[number].began:
            if floors[place] is not given[number] and floors[place].revision > top.revision:
                top = floors[place]
            place += 1
        highest[number] = top
    for number, seen in enumerate(given):
        if all_of_them or highest[number] is not nothing:
            yield seen, highest[number]


def _one_answer_a_revision(question: Question, floors: list[Seen]) -> Iterator[Violation]:
    first: dict[int, Seen] = {}
    for seen in floors:
        other = first.setdefault(seen.revision, seen)
        if other.answer != seen.answer:
            detail = f"{other.where} and {seen.where} of revision {seen.revision} differ"
            yield Violation("two answers under one revision", question.name, detail, seen.ended)
        elif other is not seen and other.where == seen.where == "stored":
            detail = f"revision {seen.revision} was stored twice"
            yield Violation("two answers under one revision", question.name, detail, seen.ended)


def _nothing_is_invented(question: Question) -> Iterator[Violation]:
    for seen in question.sights:
        if seen.revision >= 0 and not any(_explains(save, seen) for save in question.saves):
            detail = f"{seen.where} shows revision {seen.revision} that nobody sent with this answer"
            yield Violation("an answer nobody gave", question.name, detail, min(seen.ended, seen.began))


def _explains(save: Save, seen: Seen) -> bool:
    if not save.may_be_stored or save.call.began > seen.ended or save.answer != seen.answer:
        return False
    if save.sent is not None:
        return save.sent == seen.revision
    return save.told is None or save.told == seen.revision
