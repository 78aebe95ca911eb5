"""Our words for what the protos number: `single_choice` ↔ QUESTION_TYPE_SINGLE_CHOICE, and so on."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from examprotos.exam.v1 import exams_pb2, questions_pb2

Number = TypeVar("Number", bound=int)


class Vocabulary(Generic[Number]):
    """One enum of the protos. The number 0, "unspecified", is the empty word."""

    def __init__(self, values: Iterable[tuple[str, Number]], prefix: str) -> None:
        self._words: dict[int, str] = {}
        self._numbers: dict[str, Number] = {}
        for name, number in values:
            word = "" if number == 0 else name.removeprefix(prefix).lower()
            self._words[number] = word
            self._numbers[word] = number

    def word(self, number: int) -> str:
        """Raises KeyError for a number that this version of the protos doesn't know."""
        return self._words[number]

    def number(self, word: str) -> Number:
        """Raises KeyError for a word that no number stands for."""
        return self._numbers[word]

    def knows(self, number: int) -> bool:
        return number in self._words


QUESTION_TYPE = Vocabulary(questions_pb2.QuestionType.items(), "QUESTION_TYPE_")
EXAM_STATUS = Vocabulary(exams_pb2.ExamStatus.items(), "EXAM_STATUS_")
MULTI_CHOICE = Vocabulary(exams_pb2.MultiChoiceScoring.items(), "MULTI_CHOICE_SCORING_")
RESULT_POLICY = Vocabulary(exams_pb2.ResultPolicy.items(), "RESULT_POLICY_")
REVEAL = Vocabulary(exams_pb2.Reveal.items(), "REVEAL_")
