"""A row of a question workbook: its texts into a question with its key, or what to change in which column."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from import_service.domain.columns import OPTION_LETTERS
from import_service.domain.numbers import NotANumber, parse_number
from import_service.domain.question import (
    CHOICES,
    MANUAL,
    ChoiceKey,
    Key,
    ManualKey,
    NumericKey,
    Option,
    Question,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
    faults,
    type_named,
)
from import_service.domain.refusal import Fault, RowFault, shown

DEFAULT_POINTS_HUNDREDTHS = 100
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})
_LETTER_DIVIDERS = re.compile(r"[\s,;|/&+]+")
_TAG_DIVIDERS = re.compile(r"[,;|\n]")
_COLUMN_OF_PLACE = {"text": "question", "points": "points", "key": "correct", "options": "option_a"}


@dataclass
class _Reading:
    """One row being read, and what was wrong with it so far."""

    fields: Mapping[str, str]
    found: list[RowFault] = field(default_factory=list)

    def fault(self, column: str, code: str, message: str) -> None:
        self.found.append(RowFault(column, code, message))


def read_question(fields: Mapping[str, str]) -> Question | list[RowFault]:
    """The question of a row (trimmed texts by column), or everything that is wrong with it."""
    row = _Reading(fields)
    kind = _type(row)
    points = _points(row)
    if kind is None:
        return row.found
    question = Question(
        type=kind,
        text=fields["question"],
        options=_options(row, kind),
        points_hundredths=points,
        category=fields["category"],
        tags=_divided(fields["tags"], _TAG_DIVIDERS),
        external_id=fields["external_id"],
        explanation=fields["explanation"],
        key=_key(row, kind),
    )
    known = {fault.column for fault in row.found}
    for fault in faults(question):
        column = _column_of(fault, question)
        if column not in known:
            row.fault(column, fault.code, fault.message)
    return row.found or question


def _type(row: _Reading) -> QuestionType | None:
    name = row.fields["type"]
    kind = type_named(name)
    if kind is None:
        allowed = ", ".join(QuestionType)
        if name:
            row.fault("type", "unknown_type", f"“{shown(name)}” is not a type: use one of {allowed}.")
        else:
            row.fault("type", "missing", f"The type is missing: write one of {allowed}.")
    return kind


def _points(row: _Reading) -> int:
    text = row.fields["points"]
    if not text:
        return DEFAULT_POINTS_HUNDREDTHS
    try:
        hundredths = parse_number(text) * 100
    except NotANumber as error:
        row.fault("points", "not_a_number", str(error))
        return DEFAULT_POINTS_HUNDREDTHS
    if not 0 < hundredths <= 100_000:
        row.fault(
            "points", "points_out_of_range", f"Points must be above 0 and at most 1000, not {shown(text)}."
        )
    elif hundredths != hundredths.to_integral_value():
        row.fault("points", "points_too_fine", f"Points have at most two decimals: round {shown(text)}.")
    else:
        return int(hundredths)
    return DEFAULT_POINTS_HUNDREDTHS


def _options(row: _Reading, kind: QuestionType) -> tuple[Option, ...]:
    given = [
        Option(letter, text) for letter in OPTION_LETTERS if (text := row.fields[f"option_{letter.lower()}"])
    ]
    if kind is QuestionType.TRUE_FALSE and [option.text.casefold() for option in given] in (
        ["true", "false"],
        ["false", "true"],
    ):
        # Said twice, but not wrong: the type has these two options by itself.
        return ()
    if kind in CHOICES:
        for letter, option in zip(OPTION_LETTERS, given, strict=False):
            if letter != option.id:
                column = f"option_{letter.lower()}"
                message = f"{column} is empty, but option_{given[-1].id.lower()} is filled in: leave no gap."
                row.fault(column, "option_gap", message)
                break
    return tuple(given)


def _key(row: _Reading, kind: QuestionType) -> Key | None:
    text = row.fields["correct"]
    if kind in MANUAL:
        if text:
            message = (
                f"A {kind} question is marked by a person: empty the cell; "
                "a model answer may stand in explanation."
            )
            row.fault("correct", "correct_not_allowed", message)
        return ManualKey()
    if not text:
        row.fault("correct", "missing", _HOW[kind])
        return None
    if kind in CHOICES:
        return _choice_key(row, text)
    if kind is QuestionType.TRUE_FALSE:
        return _true_false_key(row, text)
    if kind is QuestionType.NUMERIC:
        return _numeric_key(row, text)
    return _short_text_key(row, text)


_HOW = {
    QuestionType.SINGLE_CHOICE: "The right answer is missing: write the letter of the right option.",
    QuestionType.MULTI_CHOICE: "The right answers are missing: write their letters, such as A,C.",
    QuestionType.TRUE_FALSE: "The right answer is missing: write true or false.",
    QuestionType.NUMERIC: "The right answer is missing: write a number.",
    QuestionType.SHORT_TEXT: "The accepted answers are missing: write at least one, divided by |.",
}


def _choice_key(row: _Reading, text: str) -> ChoiceKey | None:
    letters = [letter.upper() for letter in _divided(text, _LETTER_DIVIDERS)]
    if not letters or any(letter not in OPTION_LETTERS or len(letter) != 1 for letter in letters):
        message = f"“{shown(text)}” names no option: write the letter of the right one, such as B or A,C."
        row.fault("correct", "not_a_letter", message)
        return None
    return ChoiceKey(tuple(sorted(set(letters))))


def _true_false_key(row: _Reading, text: str) -> TrueFalseKey | None:
    answer = text.casefold()
    if answer not in _TRUE | _FALSE:
        row.fault("correct", "not_true_or_false", f"“{shown(text)}” is neither: write true or false.")
        return None
    return TrueFalseKey(answer in _TRUE)


def _numeric_key(row: _Reading, text: str) -> NumericKey | None:
    value = _number(row, "correct", text)
    tolerance = row.fields["tolerance"]
    margin = _number(row, "tolerance", tolerance) if tolerance else Decimal(0)
    return None if value is None or margin is None else NumericKey(value, margin)


def _number(row: _Reading, column: str, text: str) -> Decimal | None:
    try:
        return parse_number(text)
    except NotANumber as error:
        row.fault(column, "not_a_number", str(error))
        return None


def _short_text_key(row: _Reading, text: str) -> ShortTextKey:
    flag = row.fields["case_sensitive"].casefold()
    if flag and flag not in _TRUE | _FALSE:
        row.fault("case_sensitive", "not_true_or_false", f"“{shown(flag)}” is neither: write true or false.")
    accepted = [one.strip() for one in text.split("|")]
    meant = [one for one in accepted if unicodedata.normalize("NFKC", one).split()]
    return ShortTextKey(tuple(dict.fromkeys(meant)), flag in _TRUE)


def _divided(text: str, dividers: re.Pattern[str]) -> tuple[str, ...]:
    parts = (" ".join(part.split()) for part in dividers.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _column_of(fault: Fault, question: Question) -> str:
    match fault.place:
        case ("options", int(place), *_):
            return f"option_{question.options[place].id.lower()}"
        case ("options",) if fault.code == "too_few_options":
            return "option_b" if question.options else "option_a"
        case ("options",) if question.options:
            return f"option_{question.options[0].id.lower()}"
        case ("key", "tolerance"):
            return "tolerance"
        case _:
            name = str(fault.place[0])
            return _COLUMN_OF_PLACE.get(name, name)
