"""The demo data: right in itself, and not for addresses that others can reach."""

import csv
import io
from pathlib import Path

from examhall_local import demo
from examhall_local.demo_accounts import STUDENTS, student


def _rows() -> list[dict[str, str]]:
    return list(csv.DictReader(demo._QUESTIONS.read_text().splitlines()))


def test_twenty_questions_of_every_kind_that_grades_itself() -> None:
    rows = _rows()
    assert len({row["external_id"] for row in rows}) == len(rows) == 20
    assert {row["type"] for row in rows} == {
        "single_choice",
        "multi_choice",
        "true_false",
        "numeric",
        "short_text",
    }
    assert all(row["question"] and row["explanation"] and float(row["points"]) > 0 for row in rows)


def test_every_key_fits_its_question() -> None:
    for row in _rows():
        options = {letter.upper() for letter in "abcde" if row[f"option_{letter}"]}
        correct = set(row["correct"].split(","))
        match row["type"]:
            case "single_choice":
                assert len(correct) == 1
                assert correct < options
            case "multi_choice":
                assert 1 < len(correct) < len(options)
                assert correct < options
            case "true_false":
                assert correct <= {"true", "false"}
            case "numeric":
                assert float(row["correct"]) > float(row["tolerance"]) >= 0
            case _:
                assert all(text.strip() == text != "" for text in row["correct"].split("|"))
        assert bool(options) == (row["type"] in ("single_choice", "multi_choice"))


def test_a_hundred_students() -> None:
    rows = list(csv.DictReader(io.StringIO(demo._students().decode())))
    assert [row["email"] for row in rows] == [student(n) for n in range(1, STUDENTS + 1)]
    assert (rows[0]["email"], rows[-1]["email"]) == ("student001@example.com", "student100@example.com")
    assert {row["password"] for row in rows} == {"demo-student-password"}
    assert Path(demo._QUESTIONS).is_file()
