"""Questions as staff write and read them, key and explanation included."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from examprotos.exam.v1 import questions_pb2
from examprotos.grading.v1 import keys_pb2
from pydantic import AfterValidator, AwareDatetime, Field, SkipValidation, Strict
from typing_extensions import TypedDict

from exam_gateway.shapes import (
    QUESTION_TEXT,
    WHOLE,
    Flag,
    In,
    MediaItem,
    MediaOut,
    Number,
    Out,
    Points,
    Short,
    Text,
)
from exam_gateway.wire import document, hundredths, points, when

TYPE_NUMBERS = {
    name.removeprefix("QUESTION_TYPE_").lower(): value
    for name, value in questions_pb2.QuestionType.items()
    if value
}
TYPE_NAMES: dict[int, Any] = {value: name for name, value in TYPE_NUMBERS.items()}
QuestionType = Literal[
    "single_choice", "multi_choice", "true_false", "numeric", "short_text", "text", "image"
]
MAX_MAGNITUDE = Decimal("1e15")
MAX_DECIMALS = 15


def _writable(value: float | str) -> float | str:
    plain(value)
    return value


def plain(value: float | str) -> str:
    """A number as a plain decimal text. Raises ValueError."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("must be a number") from None
    exponent = number.as_tuple().exponent
    if not number.is_finite() or abs(number) > MAX_MAGNITUDE or not isinstance(exponent, int):
        raise ValueError("must be a number of at most 15 digits")
    if exponent < -MAX_DECIMALS:
        raise ValueError(f"must have at most {MAX_DECIMALS} decimals")
    return f"{number.normalize():f}"


_NUMBER_TEXT = Annotated[str, Field(pattern=r"^-?\d{1,15}(\.\d{1,15})?$")]
NumberOrText = Annotated[
    Annotated[Number, Field(ge=-1e15, le=1e15)] | _NUMBER_TEXT, AfterValidator(_writable)
]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
OptionId = Annotated[str, Field(pattern="^[A-Z]$", examples=["A"])]


class OptionIn(In):
    id: OptionId
    text: Text


class ChoiceKey(In):
    correct: Annotated[list[OptionId], Field(min_length=1, max_length=26, examples=[["B"]])]


class TrueFalseKey(In):
    correct: Flag


class NumericKey(In):
    """`tolerance` is inclusive."""

    value: NumberOrText = Field(examples=[9.81])
    tolerance: NumberOrText = Field(default=0, examples=[0.01])


class ShortTextKey(In):
    accepted: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=500)]], Field(min_length=1, max_length=100)
    ]
    case_sensitive: Flag = False


class _QuestionIn(In):
    external_id: Annotated[str, Field(max_length=200)] | None = None
    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=20_000,
            examples=["What is the powerhouse of the cell?"],
            description=f"{QUESTION_TEXT} So a question about `<b>` is possible.",
        ),
    ]
    points: Points = Field(default=1.0, examples=[2.5])
    category: Short = ""
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)
    explanation: Text | None = None
    media: Annotated[list[MediaItem], Field(max_length=20)] | None = Field(
        default=None,
        description="References to pictures, sound or films. An address in them begins with `https://`, "
        "or is a file's name or id; other schemes are refused. `alt`, `caption`, `title` and `description` "
        "are free text.",
        examples=[[{"url": "https://example.com/cell.png", "alt": "An animal cell"}]],
    )


class _WithOptions(_QuestionIn):
    options: Annotated[
        list[OptionIn],
        Field(
            min_length=2,
            max_length=26,
            examples=[[{"id": "A", "text": "Nucleus"}, {"id": "B", "text": "Mitochondrion"}]],
        ),
    ]
    key: ChoiceKey


class _WithoutOptions(_QuestionIn):
    options: Annotated[list[OptionIn], Field(max_length=0)] = Field(default_factory=list)


class SingleChoice(_WithOptions):
    type: Literal["single_choice"]


class MultiChoice(_WithOptions):
    type: Literal["multi_choice"]


class TrueFalse(_WithoutOptions):
    type: Literal["true_false"]
    key: TrueFalseKey


class Numeric(_WithoutOptions):
    type: Literal["numeric"]
    key: NumericKey


class ShortText(_WithoutOptions):
    type: Literal["short_text"]
    key: ShortTextKey


class _Manual(_WithoutOptions):
    key: None = None


class Essay(_Manual):
    type: Literal["text"]


class Image(_Manual):
    type: Literal["image"]


class _Edit(In):
    version: Annotated[
        int, Strict(), Field(ge=1, le=2**31 - 1, description="The version that was edited."), WHOLE
    ]


class EditSingleChoice(SingleChoice, _Edit):
    pass


class EditMultiChoice(MultiChoice, _Edit):
    pass


class EditTrueFalse(TrueFalse, _Edit):
    pass


class EditNumeric(Numeric, _Edit):
    pass


class EditShortText(ShortText, _Edit):
    pass


class EditEssay(Essay, _Edit):
    pass


class EditImage(Image, _Edit):
    pass


NewQuestion = Annotated[
    SingleChoice | MultiChoice | TrueFalse | Numeric | ShortText | Essay | Image, Field(discriminator="type")
]
EditedQuestion = Annotated[
    EditSingleChoice | EditMultiChoice | EditTrueFalse | EditNumeric | EditShortText | EditEssay | EditImage,
    Field(discriminator="type"),
]


class OptionOut(Out):
    id: str = Field(examples=["A"])
    text: str


class ChoiceKeyOut(TypedDict):
    correct: list[str]


class TrueFalseKeyOut(TypedDict):
    correct: bool


class NumericKeyOut(TypedDict):
    value: float
    tolerance: float


class ShortTextKeyOut(TypedDict):
    accepted: list[str]
    case_sensitive: bool


Key = SkipValidation[ChoiceKeyOut | TrueFalseKeyOut | NumericKeyOut | ShortTextKeyOut]


class Question(Out):
    id: UUID
    version: int
    version_id: UUID
    external_id: str | None
    type: QuestionType
    text: str = Field(description=QUESTION_TEXT)
    options: list[OptionOut]
    points: float
    category: str
    tags: list[str]
    explanation: str | None
    media: list[MediaOut]
    key: Key | None = Field(examples=[{"correct": ["B"]}])
    archived: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Questions(Out):
    items: list[Question]
    next_cursor: str | None


def content(body: _QuestionIn, kind: str, options: list[OptionIn]) -> questions_pb2.QuestionContent:
    return questions_pb2.QuestionContent(
        type=TYPE_NUMBERS[kind],
        text=body.text,
        options=[questions_pb2.Option(id=option.id, text=option.text) for option in options],
        points_hundredths=hundredths(body.points),
        category=body.category,
        tags=body.tags,
        external_id=body.external_id or "",
        media_json=msgspec.json.encode(body.media) if body.media else b"",
    )


def answer_key(given: object, explanation: str | None) -> keys_pb2.AnswerKey:
    """Every key has its explanation with it; a manual one has nothing else."""
    key = keys_pb2.AnswerKey(explanation=explanation or "")
    match given:
        case ChoiceKey():
            key.choice.correct.extend(given.correct)
        case TrueFalseKey():
            key.true_false.correct = given.correct
        case NumericKey():
            key.numeric.value = plain(given.value)
            key.numeric.tolerance = plain(given.tolerance)
        case ShortTextKey():
            key.short_text.accepted.extend(given.accepted)
            key.short_text.case_sensitive = given.case_sensitive
        case _:
            key.manual.SetInParent()
    return key


def question(found: questions_pb2.Question, key: keys_pb2.AnswerKey | None) -> Question:
    told = found.content
    return Question(
        id=UUID(found.id),
        version=found.version,
        version_id=UUID(found.version_id),
        external_id=told.external_id or None,
        type=TYPE_NAMES[told.type],
        text=told.text,
        options=[OptionOut(id=option.id, text=option.text) for option in told.options],
        points=points(told.points_hundredths),
        category=told.category,
        tags=list(told.tags),
        explanation=(key.explanation if key else "") or None,
        media=document(told.media_json) or [],
        key=key_document(key),
        archived=found.archived,
        created_at=when(found.created_at),
        updated_at=when(found.updated_at),
    )


def key_document(key: keys_pb2.AnswerKey | None) -> Key | None:
    """A key as the contract has it; None for questions that a person marks."""
    if key is None:
        return None
    match key.WhichOneof("key"):
        case "choice":
            return ChoiceKeyOut(correct=list(key.choice.correct))
        case "true_false":
            return TrueFalseKeyOut(correct=key.true_false.correct)
        case "numeric":
            value, tolerance = _number(key.numeric.value), _number(key.numeric.tolerance or "0")
            return NumericKeyOut(value=value, tolerance=tolerance)
        case "short_text":
            text = key.short_text
            return ShortTextKeyOut(accepted=list(text.accepted), case_sensitive=text.case_sensitive)
    return None


def _number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)
