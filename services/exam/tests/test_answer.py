"""What may be an answer, by type of question."""

import json
from typing import Any
from uuid import uuid4

import pytest
from exam_service.domain.answer import (
    MAX_ANSWER_BYTES,
    BadAnswerError,
    check_revision,
    digest,
    find_question,
    parse,
)
from exam_service.domain.paper import Option, Paper, PaperQuestion
from hypothesis import given
from hypothesis import strategies as st

FILE = "0198a3f2-7c51-7e0b-9d3a-5b6f2c1e8d40"
TYPES = ("single_choice", "multi_choice", "true_false", "numeric", "short_text", "text", "image")


def question(kind: str) -> PaperQuestion:
    options = tuple(Option(letter, letter) for letter in "ABC") if kind.endswith("choice") else ()
    return PaperQuestion(uuid4(), uuid4(), 1, kind, "?", options, 100, 1, b"")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("single_choice", "C"),
        ("multi_choice", ["C", "A"]),
        ("multi_choice", []),
        ("true_false", "true"),
        ("true_false", "false"),
        ("numeric", "3.5"),
        ("numeric", " -12 "),
        ("numeric", ".5"),
        ("numeric", "5."),
        ("numeric", "+1.2E-10"),
        ("short_text", "Île-de-France"),
        ("short_text", ""),
        ("text", "a\nb\t" + "x" * 1000),
        ("text", "\U0001f600"),
        ("image", FILE),
        *[(kind, None) for kind in TYPES],
    ],
)
def test_fit_answers_come_back_as_sent(kind: str, answer: Any) -> None:
    assert parse(question(kind), json.dumps(answer).encode()) == answer


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("single_choice", "D"),
        ("single_choice", "a"),
        ("single_choice", ["A"]),
        ("single_choice", ""),
        ("multi_choice", "A"),
        ("multi_choice", ["A", "A"]),
        ("multi_choice", ["D"]),
        ("multi_choice", ["A", 1]),
        ("multi_choice", [["A"]]),
        ("true_false", "True"),
        ("true_false", True),
        ("numeric", "3,5"),
        ("numeric", "NaN"),
        ("numeric", "Infinity"),
        ("numeric", "1e9999"),
        ("numeric", "0x10"),
        ("numeric", "1_000"),
        ("numeric", "٣"),
        ("numeric", ""),
        ("numeric", "1" * 101),
        ("numeric", 3.5),
        ("short_text", "nul \x00 inside"),
        ("short_text", {"a": 1}),
        ("text", "x" * (MAX_ANSWER_BYTES + 1)),
        ("text", "é" * (MAX_ANSWER_BYTES // 2 + 1)),
        ("text", ["a"]),
        ("image", "photo.png"),
        ("image", f"{{{FILE}}}"),
    ],
)
def test_unfit_answers_are_refused_with_a_sentence(kind: str, answer: Any) -> None:
    with pytest.raises(BadAnswerError) as refused:
        parse(question(kind), json.dumps(answer).encode())

    assert refused.value.detail.endswith((".", "clear it."))


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense", b'"\\ud800"', b'"\xed\xa0\x80"', b'"a" "b"', b"[" * 100_000, b"1e400", b"NaN"]
)
def test_what_is_no_json_or_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAnswerError):
        parse(question("text"), raw)


@given(st.sampled_from(TYPES), st.binary(max_size=40) | st.text(max_size=40).map(lambda t: t.encode()))
def test_nothing_a_client_sends_breaks_it(kind: str, raw: bytes) -> None:
    try:
        answer = parse(question(kind), raw)
    except BadAnswerError:
        return
    assert answer is None or isinstance(answer, str | list)


def test_exactly_64_kib_fit() -> None:
    longest = "\x01" * MAX_ANSWER_BYTES

    assert parse(question("text"), json.dumps(longest).encode()) == longest


def test_questions_that_the_paper_does_not_have_are_refused() -> None:
    asked = question("text")
    paper = Paper(uuid4(), (asked,))

    assert find_question(paper, str(asked.question_id)) is asked
    for stranger in (str(uuid4()), "", "x"):
        with pytest.raises(BadAnswerError):
            find_question(paper, stranger)


def test_revisions_are_whole_numbers_that_a_browser_holds() -> None:
    for good in (None, 0, 2**53 - 1):
        check_revision(good)
    for bad in (-1, 2**53):
        with pytest.raises(BadAnswerError):
            check_revision(bad)


def test_the_receipt_does_not_depend_on_the_order_of_answers() -> None:
    first, second = uuid4(), uuid4()

    assert digest({first: "a", second: ["B"]}) == digest({second: ["B"], first: "a"})
    assert digest({first: "a"}) != digest({first: "b"})
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
