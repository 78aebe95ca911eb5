"""A question with its key, and every rule about the two: the same for the editor and for a workbook's row."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from import_service.domain.columns import folded
from import_service.domain.refusal import Fault, has_bad_characters

TEXT_CHARACTERS = 20_000
OPTION_CHARACTERS = 5_000
OPTIONS_MOST = 26
CATEGORY_CHARACTERS = 200
TAG_CHARACTERS = 100
TAGS_MOST = 50
EXTERNAL_ID_CHARACTERS = 200
ACCEPTED_CHARACTERS = 1_000
ACCEPTED_MOST = 100
POINTS_MOST_HUNDREDTHS = 1000_00


class QuestionType(StrEnum):
    """The types of the contract."""

    SINGLE_CHOICE = "single_choice"
    MULTI_CHOICE = "multi_choice"
    TRUE_FALSE = "true_false"
    NUMERIC = "numeric"
    SHORT_TEXT = "short_text"
    TEXT = "text"
    IMAGE = "image"


CHOICES = frozenset({QuestionType.SINGLE_CHOICE, QuestionType.MULTI_CHOICE})
MANUAL = frozenset({QuestionType.TEXT, QuestionType.IMAGE})
_BY_FOLDED_NAME = {folded(one).replace("/", ""): one for one in QuestionType}


class ChoiceKey(msgspec.Struct, frozen=True, tag="choice"):
    correct: tuple[str, ...]


class TrueFalseKey(msgspec.Struct, frozen=True, tag="true_false"):
    correct: bool


class NumericKey(msgspec.Struct, frozen=True, tag="numeric"):
    value: Decimal
    tolerance: Decimal = Decimal(0)


class ShortTextKey(msgspec.Struct, frozen=True, tag="short_text"):
    accepted: tuple[str, ...]
    case_sensitive: bool = False


class ManualKey(msgspec.Struct, frozen=True, tag="manual"):
    """A person marks it."""


Key = ChoiceKey | TrueFalseKey | NumericKey | ShortTextKey | ManualKey

KEY_OF: dict[QuestionType, type[Key]] = {
    QuestionType.SINGLE_CHOICE: ChoiceKey,
    QuestionType.MULTI_CHOICE: ChoiceKey,
    QuestionType.TRUE_FALSE: TrueFalseKey,
    QuestionType.NUMERIC: NumericKey,
    QuestionType.SHORT_TEXT: ShortTextKey,
    QuestionType.TEXT: ManualKey,
    QuestionType.IMAGE: ManualKey,
}


class Option(msgspec.Struct, frozen=True, array_like=True):
    id: str
    text: str


class Question(msgspec.Struct, frozen=True, kw_only=True, tag_field="item", tag="question"):
    """Content and key as they are put; `key` is None where it couldn't be read."""

    type: QuestionType
    text: str
    options: tuple[Option, ...] = ()
    points_hundredths: int = 100
    category: str = ""
    tags: tuple[str, ...] = ()
    external_id: str = ""
    explanation: str = ""
    key: Key | None


def type_named(name: str) -> QuestionType | None:
    """`Single choice`, `single-choice` and `SINGLE_CHOICE` are the same type; None for no type of ours."""
    return _BY_FOLDED_NAME.get(folded(name).replace("/", ""))


def faults(question: Question) -> list[Fault]:
    """Everything that is wrong with a question; empty for one that can be put."""
    found = _text_faults(question)
    if not 1 <= question.points_hundredths <= POINTS_MOST_HUNDREDTHS:
        found.append(Fault(("points",), "points_out_of_range", "Points must be above 0 and at most 1000."))
    if question.type in CHOICES:
        found += _option_faults(question)
    elif question.options:
        found.append(Fault(("options",), "options_not_allowed", _no_options(question.type)))
    if question.key is not None:
        found += _key_faults(question, question.key)
    return found


def _no_options(kind: QuestionType) -> str:
    return f"A {kind} question has no options: empty the options, or make it single_choice or multi_choice."


def _text_faults(question: Question) -> list[Fault]:
    found = []
    if not question.text.strip():
        found.append(Fault(("text",), "missing", "The question has no text: write it."))
    texts = [
        (("text",), question.text, TEXT_CHARACTERS),
        (("category",), question.category, CATEGORY_CHARACTERS),
        (("external_id",), question.external_id, EXTERNAL_ID_CHARACTERS),
        (("explanation",), question.explanation, TEXT_CHARACTERS),
        *((("tags", place), tag, TAG_CHARACTERS) for place, tag in enumerate(question.tags)),
        *(
            (("options", place, "text"), option.text, OPTION_CHARACTERS)
            for place, option in enumerate(question.options)
        ),
    ]
    for where, text, most in texts:
        found += _one_text(where, text, most)
    if len(question.tags) > TAGS_MOST:
        found.append(Fault(("tags",), "too_many", f"There may be at most {TAGS_MOST} tags."))
    return found


def _one_text(place: tuple[str | int, ...], text: str, most: int) -> list[Fault]:
    if len(text) > most:
        message = f"The text is {len(text)} characters long: shorten it to {most}."
        return [Fault(place, "too_long", message)]
    if has_bad_characters(text):
        return [
            Fault(place, "bad_characters", "The text holds a character that can't be stored: type it anew.")
        ]
    return []


def _option_faults(question: Question) -> list[Fault]:
    found: list[Fault] = []
    here = ("options",)
    if len(question.options) < 2:
        found.append(
            Fault(here, "too_few_options", f"A {question.type} question needs at least two options.")
        )
    if len(question.options) > OPTIONS_MOST:
        found.append(Fault(here, "too_many_options", f"There may be at most {OPTIONS_MOST} options."))
    ids: set[str] = set()
    texts: dict[str, str] = {}
    for place, option in enumerate(question.options):
        if not (len(option.id) == 1 and "A" <= option.id <= "Z"):
            found.append(
                Fault(("options", place, "id"), "bad_option_id", "An option's id is a letter, A to Z.")
            )
        elif option.id in ids:
            message = f"There are two options {option.id}: give each its own letter."
            found.append(Fault(("options", place, "id"), "duplicate_option_id", message))
        ids.add(option.id)
        text = option.text.strip()
        if not text:
            message = f"Option {option.id} has no text: write it, or remove the option."
            found.append(Fault(("options", place, "text"), "missing", message))
        elif text in texts:
            message = f"Option {option.id} says the same as option {texts[text]}: change one of them."
            found.append(Fault(("options", place, "text"), "duplicate_option", message))
        texts.setdefault(text, option.id)
    return found


def _key_faults(question: Question, key: Key) -> list[Fault]:
    if not isinstance(key, KEY_OF[question.type]):
        return [Fault(("key",), "wrong_key", f"A {question.type} question takes another kind of key.")]
    match key:
        case ChoiceKey(correct):
            return _choice_faults(question, correct)
        case NumericKey(_, tolerance) if tolerance < 0:
            message = "The tolerance must be 0 or more: remove the minus."
            return [Fault(("key", "tolerance"), "negative_tolerance", message)]
        case ShortTextKey(accepted, _):
            return _accepted_faults(accepted)
        case _:
            return []


def _choice_faults(question: Question, correct: tuple[str, ...]) -> list[Fault]:
    here = ("key", "correct")
    known = [option.id for option in question.options]
    if not correct:
        return [Fault(here, "missing", "No right answer is given: name the letter of the right option.")]
    unknown = [one for one in correct if one not in known]
    if unknown:
        message = (
            f"There is no option {', '.join(unknown)}: use the letters of options that are filled in"
            f"{' (' + ', '.join(known) + ')' if known else ''}."
        )
        return [Fault(here, "unknown_option", message)]
    if question.type is QuestionType.SINGLE_CHOICE and len(correct) > 1:
        message = "A single_choice question has one right option: keep one letter, or make it multi_choice."
        return [Fault(here, "several_correct", message)]
    return []


def _accepted_faults(accepted: tuple[str, ...]) -> list[Fault]:
    here = ("key", "accepted")
    if not any(text.strip() for text in accepted):
        return [Fault(here, "missing", "No accepted answer is given: write at least one, divided by |.")]
    if len(accepted) > ACCEPTED_MOST:
        return [Fault(here, "too_many", f"There may be at most {ACCEPTED_MOST} accepted answers.")]
    found = []
    for place, text in enumerate(accepted):
        found += _one_text((*here, place), text, ACCEPTED_CHARACTERS)
    return found
