"""The rules for rows: each mistake has its column, its code and a sentence."""

from typing import Any

import pytest
from import_service.domain.columns import COLUMNS, Kind, read_header
from import_service.domain.question import ChoiceKey, Question, ShortTextKey, TrueFalseKey, type_named
from import_service.domain.question_rows import read_question
from import_service.domain.refusal import RowFault
from import_service.domain.rows import Judge, SheetRow
from import_service.domain.student_rows import Student, read_student

CHOICE = {"type": "single_choice", "question": "Which?", "option_a": "x", "option_b": "y", "correct": "A"}


def fields(**given: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS[Kind.QUESTIONS], "") | given


def faults(**given: str) -> list[tuple[str, str]]:
    found = read_question(fields(**given))
    assert isinstance(found, list), found
    assert all(fault.message.endswith(".") and len(fault.message) > 15 for fault in found)
    return [(fault.column, fault.code) for fault in found]


def question(**given: str) -> Question:
    found = read_question(fields(**given))
    assert isinstance(found, Question), found
    return found


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"type": ""}, "type", "missing"),
        ({"type": "riddle"}, "type", "unknown_type"),
        ({"question": ""}, "question", "missing"),
        ({"question": "x" * 20_001}, "question", "too_long"),
        ({"question": "a\0b"}, "question", "bad_characters"),
        ({"option_b": ""}, "option_b", "too_few_options"),
        ({"option_a": "", "option_b": "", "correct": "A"}, "option_a", "too_few_options"),
        ({"option_b": "", "option_c": "z"}, "option_b", "option_gap"),
        ({"option_a": "", "option_c": "z", "correct": "B"}, "option_a", "option_gap"),
        ({"option_b": "x"}, "option_b", "duplicate_option"),
        ({"option_b": "y" * 5_001}, "option_b", "too_long"),
        ({"correct": ""}, "correct", "missing"),
        ({"correct": "C"}, "correct", "unknown_option"),
        ({"correct": "A,B"}, "correct", "several_correct"),
        ({"correct": "2"}, "correct", "not_a_letter"),
        ({"correct": "AB"}, "correct", "not_a_letter"),
        ({"correct": "Canberra"}, "correct", "not_a_letter"),
        ({"correct": ","}, "correct", "not_a_letter"),
        ({"points": "0"}, "points", "points_out_of_range"),
        ({"points": "-1"}, "points", "points_out_of_range"),
        ({"points": "1000.01"}, "points", "points_out_of_range"),
        ({"points": "0.001"}, "points", "points_too_fine"),
        ({"points": "1.005"}, "points", "points_too_fine"),
        ({"points": "two"}, "points", "not_a_number"),
        ({"category": "c" * 201}, "category", "too_long"),
        ({"external_id": "e" * 201}, "external_id", "too_long"),
        ({"tags": ",".join(f"t{n}" for n in range(51))}, "tags", "too_many"),
        ({"tags": "t" * 101}, "tags", "too_long"),
        ({"explanation": "e" * 20_001}, "explanation", "too_long"),
    ],
)
def test_mistakes_in_a_choice(changes: dict[str, str], column: str, code: str) -> None:
    assert (column, code) in faults(**(CHOICE | changes))


@pytest.mark.parametrize(
    ("given", "column", "code"),
    [
        ({"type": "multi_choice", "option_a": "x", "option_b": "y"}, "correct", "missing"),
        ({"type": "true_false", "correct": "maybe"}, "correct", "not_true_or_false"),
        ({"type": "true_false", "correct": ""}, "correct", "missing"),
        ({"type": "true_false", "correct": "true", "option_a": "sure"}, "option_a", "options_not_allowed"),
        ({"type": "numeric", "correct": "many"}, "correct", "not_a_number"),
        ({"type": "numeric", "correct": "50%"}, "correct", "not_a_number"),
        ({"type": "numeric", "correct": "1,234"}, "correct", "not_a_number"),
        ({"type": "numeric", "correct": "1", "tolerance": "-1"}, "tolerance", "negative_tolerance"),
        ({"type": "numeric", "correct": "1", "tolerance": "5%"}, "tolerance", "not_a_number"),
        ({"type": "short_text", "correct": " | "}, "correct", "missing"),
        ({"type": "short_text", "correct": "a" * 1_001}, "correct", "too_long"),
        ({"type": "short_text", "correct": "|".join(map(str, range(101)))}, "correct", "too_many"),
        (
            {"type": "short_text", "correct": "a", "case_sensitive": "often"},
            "case_sensitive",
            "not_true_or_false",
        ),
        ({"type": "text", "correct": "an essay"}, "correct", "correct_not_allowed"),
        ({"type": "image", "correct": "A"}, "correct", "correct_not_allowed"),
        ({"type": "text", "option_c": "z"}, "option_c", "options_not_allowed"),
    ],
)
def test_mistakes_in_other_types(given: dict[str, str], column: str, code: str) -> None:
    assert (column, code) in faults(question="How?", **given)


def test_every_mistake_of_a_row_is_told_at_once() -> None:
    found = faults(**(CHOICE | {"question": "", "points": "x", "option_b": "x", "correct": "H"}))
    assert {column for column, _ in found} == {"question", "points", "option_b", "correct"}


def test_the_sentences_say_what_to_change() -> None:
    found = read_question(fields(**(CHOICE | {"correct": "E"})))
    assert isinstance(found, list)
    assert found[0].message == "There is no option E: use the letters of options that are filled in (A, B)."


@pytest.mark.parametrize("text", ["a, c", "A;C", "C,A", "a c", "A|c", "a/C", "A, C, A", " c & a "])
def test_letters_however_they_are_divided(text: str) -> None:
    given = CHOICE | {"type": "multi_choice", "option_c": "z", "correct": text}
    assert question(**given).key == ChoiceKey(("A", "C"))


@pytest.mark.parametrize("text", ["TRUE", "true", "True", "T", "yes", "1"])
def test_true_however_it_is_written(text: str) -> None:
    assert question(type="true_false", question="Is it?", correct=text).key == TrueFalseKey(True)


def test_options_that_differ_in_case_only_are_different() -> None:
    assert len(question(**(CHOICE | {"option_a": "mb", "option_b": "Mb"})).options) == 2


def test_what_does_not_belong_to_a_type_but_does_no_harm_is_passed_over() -> None:
    given = CHOICE | {"tolerance": "0", "case_sensitive": "FALSE"}
    assert question(**given).key == ChoiceKey(("A",))


def test_points_and_accepted_answers() -> None:
    assert question(**CHOICE).points_hundredths == 100
    assert question(**(CHOICE | {"points": "2,5"})).points_hundredths == 250
    assert question(**(CHOICE | {"points": "1000"})).points_hundredths == 100_000
    short = question(type="short_text", question="Which?", correct="a | b|a||", case_sensitive="yes")
    assert short.key == ShortTextKey(("a", "b"), True)


@pytest.mark.parametrize("name", ["single_choice", "Single Choice", "SINGLE-CHOICE", " singlechoice "])
def test_type_names(name: str) -> None:
    assert type_named(name) == "single_choice"
    assert type_named("true / false") == "true_false"
    assert type_named("") is None


def test_headers_in_any_dress() -> None:
    layout = read_header(
        Kind.QUESTIONS, ["", " Correct ", "OPTION A", "Option-B", "question", "Remark", "TYPE", ""]
    )
    assert layout.positions == {"correct": 1, "option_a": 2, "option_b": 3, "question": 4, "type": 6}
    assert layout.fields(["", " a ", "x\r\ny"]) | {} == fields(correct="a", option_a="x\ny")
    assert layout.header == ("", " Correct ", "OPTION A", "Option-B", "question", "Remark", "TYPE")


def student(**given: str) -> Student | list[RowFault]:
    return read_student({"email": "a@school.local", "name": "A", "groups": "", "password": ""} | given)


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"email": ""}, "email", "missing"),
        ({"email": "not an address"}, "email", "not_an_email"),
        ({"email": "a@localhost"}, "email", "not_an_email"),
        ({"email": "a@" + "b" * 320 + ".com"}, "email", "not_an_email"),
        ({"email": "a\0@b.com"}, "email", "not_an_email"),
        ({"name": " "}, "name", "missing"),
        ({"name": "n" * 201}, "name", "too_long"),
        ({"name": "n\0"}, "name", "bad_characters"),
        ({"groups": "g" * 101}, "groups", "too_long"),
        ({"groups": ";".join(map(str, range(51)))}, "groups", "too_many"),
        ({"password": "p" * 1025}, "password", "too_long"),
    ],
)
def test_mistakes_in_a_person(changes: dict[str, str], column: str, code: str) -> None:
    found = student(**changes)
    assert isinstance(found, list)
    assert [(fault.column, fault.code) for fault in found] == [(column, code)]


def test_a_person() -> None:
    found = student(groups="a, b;c | a", password=" secret ")
    assert found == Student("a@school.local", "A", ("a", "b", "c"), " secret ")
    assert "secret" not in repr(found)


def test_the_same_person_twice() -> None:
    judge = Judge(read_header(Kind.USERS, ["email", "name"]))
    assert isinstance(judge.read(SheetRow(2, ["A@b.com", "A"])), Student)
    found: Any = judge.read(SheetRow(3, ["a@B.com", "A"]))
    assert [(fault.column, fault.code) for fault in found] == [("email", "duplicate_email")]
    assert "row 2" in found[0].message
