"""Answer keys: what is right for a question, immutable with its version."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, assert_never

from examkit.errors import FieldError


class QuestionType(StrEnum):
    """The types of the contract; the value is what the tables hold."""

    SINGLE_CHOICE = "single_choice"
    MULTI_CHOICE = "multi_choice"
    TRUE_FALSE = "true_false"
    NUMERIC = "numeric"
    SHORT_TEXT = "short_text"
    TEXT = "text"
    IMAGE = "image"


CHOICES = frozenset({QuestionType.SINGLE_CHOICE, QuestionType.MULTI_CHOICE})
MANUAL = frozenset({QuestionType.TEXT, QuestionType.IMAGE})


@dataclass(frozen=True)
class ChoiceKey:
    """The authored ids of the right options."""

    correct: frozenset[str]


@dataclass(frozen=True)
class TrueFalseKey:
    correct: bool


@dataclass(frozen=True)
class NumericKey:
    value: Decimal
    tolerance: Decimal = Decimal(0)


@dataclass(frozen=True)
class ShortTextKey:
    accepted: tuple[str, ...]
    case_sensitive: bool = False


@dataclass(frozen=True)
class ManualKey:
    """A person decides."""


Key = ChoiceKey | TrueFalseKey | NumericKey | ShortTextKey | ManualKey

# A number with more digits before or after the point than this is nobody's answer, and slow to compare.
MAX_EXPONENT = 300


def decimal_of(text: str) -> Decimal | None:
    """The finite number that the text says, or None where it says none that we compare."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        return None
    return number


def faults(kind: QuestionType, option_ids: Sequence[str], key: Key) -> list[FieldError]:
    """What keeps this key from fitting a question of this type and these options; empty when it fits."""
    if kind in CHOICES:
        return _choice_faults(kind, option_ids, key)
    expected = _KEY_OF[kind]
    if not isinstance(key, expected):
        return [FieldError(("key",), f"A {kind} question takes another kind of key.")]
    if isinstance(key, NumericKey) and key.tolerance < 0:
        return [FieldError(("key", "tolerance"), "The tolerance must be 0 or more.")]
    if isinstance(key, ShortTextKey) and not any(normal(text, False) for text in key.accepted):
        return [FieldError(("key", "accepted"), "Give at least one accepted text.")]
    return []


def _choice_faults(kind: QuestionType, option_ids: Sequence[str], key: Key) -> list[FieldError]:
    here = ("key", "correct")
    if not isinstance(key, ChoiceKey):
        return [FieldError(("key",), f"A {kind} question takes a list of right options.")]
    if not key.correct:
        return [FieldError(here, "Name at least one right option.")]
    if kind is QuestionType.SINGLE_CHOICE and len(key.correct) > 1:
        return [FieldError(here, "A single choice has one right option; use multi_choice for several.")]
    unknown = sorted(key.correct - set(option_ids))
    if unknown:
        return [FieldError(here, f"There is no option {', '.join(unknown)}.")]
    return []


_KEY_OF: dict[QuestionType, type[Key]] = {
    QuestionType.TRUE_FALSE: TrueFalseKey,
    QuestionType.NUMERIC: NumericKey,
    QuestionType.SHORT_TEXT: ShortTextKey,
    QuestionType.TEXT: ManualKey,
    QuestionType.IMAGE: ManualKey,
}


def normal(text: str, case_sensitive: bool) -> str:
    """How short texts are compared: NFKC, trimmed, spaces folded, case folded unless `case_sensitive`."""
    folded = unicodedata.normalize("NFKC", text)
    if not case_sensitive:
        # Case folding can leave the normal form, so it is taken again.
        folded = unicodedata.normalize("NFKC", folded.casefold())
    return " ".join(folded.split())


def to_document(key: Key) -> dict[str, Any] | None:
    """The key as the contract writes it, which is also how it is stored."""
    match key:
        case ChoiceKey(correct):
            return {"correct": sorted(correct)}
        case TrueFalseKey(correct):
            return {"correct": correct}
        case NumericKey(value, tolerance):
            return {"value": str(value), "tolerance": str(tolerance)}
        case ShortTextKey(accepted, case_sensitive):
            return {"accepted": list(accepted), "case_sensitive": case_sensitive}
        case ManualKey():
            return None
        case _:
            assert_never(key)


def from_document(kind: QuestionType, document: dict[str, Any] | None) -> Key:
    """The inverse of `to_document`, for stored keys."""
    if kind in MANUAL or document is None:
        return ManualKey()
    if kind in CHOICES:
        return ChoiceKey(frozenset(document["correct"]))
    if kind is QuestionType.TRUE_FALSE:
        return TrueFalseKey(document["correct"])
    if kind is QuestionType.NUMERIC:
        return NumericKey(Decimal(document["value"]), Decimal(document["tolerance"]))
    return ShortTextKey(tuple(document["accepted"]), document["case_sensitive"])
