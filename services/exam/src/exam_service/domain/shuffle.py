"""How a paper is shown in one attempt: the order of questions and the letters of options, from a secret seed.

The order is that of HMAC-SHA256(seed, id): the same for good, on every machine, and without the seed it tells
nothing. Answers are kept in the letters shown, and translated when the attempt closes.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from exam_service.domain.paper import Option, Paper, PaperQuestion

SEED_BYTES = 32

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

Rank = Callable[[bytes], bytes]


class Lettering(Struct, frozen=True):
    """The authored option ids of a question in the order shown: the first was shown as A, the next as B, …"""

    authored_ids: tuple[str, ...]

    @property
    def shown_ids(self) -> tuple[str, ...]:
        return letters(len(self.authored_ids))

    def authored(self, shown: str) -> str:
        """The authored letter behind a shown one. Raises KeyError for one that was not shown."""
        return dict(zip(self.shown_ids, self.authored_ids, strict=True))[shown]

    def translate(self, answer: object) -> object:
        """An answer to a choice, from the letters shown into those authored."""
        if isinstance(answer, str):
            return self.authored(answer)
        if isinstance(answer, list):
            return [self.authored(shown) for shown in answer]
        return answer


class ShownQuestion(Struct, frozen=True):
    """A question as this attempt shows it; `order` is 1, 2, …"""

    question: PaperQuestion
    options: tuple[Option, ...]
    order: int


@lru_cache(maxsize=1000)
def letters(count: int) -> tuple[str, ...]:
    """A, B, … Z, AA, AB, …"""
    return tuple(_letter(number) for number in range(count))


def lettering(question: PaperQuestion, seed: bytes, shuffle_options: bool) -> Lettering:
    """How the options of a question are lettered in the attempt with this seed."""
    return _lettering(question, _ranking(seed) if shuffle_options else None)


def letterings(paper: Paper, seed: bytes, shuffle_options: bool) -> Mapping[UUID, Lettering]:
    """The lettering of each choice question, by question id."""
    rank = _ranking(seed) if shuffle_options else None
    return {
        question.question_id: _lettering(question, rank) for question in paper.questions if question.is_choice
    }


def shown(
    paper: Paper, seed: bytes, *, shuffle_questions: bool, shuffle_options: bool
) -> tuple[ShownQuestion, ...]:
    """The paper in the order and the letters of the attempt with this seed."""
    rank = _ranking(seed)
    questions: Sequence[PaperQuestion] = paper.questions
    if shuffle_questions:
        questions = sorted(questions, key=lambda each: rank(b"question|" + each.question_id.bytes))
    return tuple(
        ShownQuestion(question, _lettered(question, rank if shuffle_options else None), order)
        for order, question in enumerate(questions, start=1)
    )


def _lettering(question: PaperQuestion, rank: Rank | None) -> Lettering:
    return Lettering(tuple(option.id for option in _in_order(question, rank)))


def _lettered(question: PaperQuestion, rank: Rank | None) -> tuple[Option, ...]:
    if not question.is_choice:
        return ()
    texts = [option.text for option in _in_order(question, rank)]
    return tuple(map(Option, letters(len(texts)), texts))


def _in_order(question: PaperQuestion, rank: Rank | None) -> Sequence[Option]:
    """The options as authored, in the order shown."""
    if rank is None:
        return question.options
    prefix = b"option|" + question.question_id.bytes + b"|"
    return sorted(question.options, key=lambda option: rank(prefix + option.id.encode()))


def _ranking(seed: bytes) -> Rank:
    """HMAC-SHA256 (RFC 2104) under the seed, which is hashed once: a class that starts needs 100 of each."""
    padded = seed.ljust(hashlib.sha256().block_size, b"\0")
    inner = hashlib.sha256(padded.translate(_INNER))
    outer = hashlib.sha256(padded.translate(_OUTER))

    def rank(name: bytes) -> bytes:
        one, all_ = inner.copy(), outer.copy()
        one.update(name)
        all_.update(one.digest())
        return all_.digest()

    return rank


def _letter(number: int) -> str:
    name = ""
    while number >= 0:
        name = chr(ord("A") + number % 26) + name
        number = number // 26 - 1
    return name
