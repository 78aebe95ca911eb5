"""Every row of the table of what dies names the test that holds it, and that test exists."""

import ast
import re

import pytest

from tests.architecture.rooms import ROOT

_PAGE = (ROOT / "docs" / "architecture.md").read_text()
_TABLE = _PAGE.partition("## When something dies\n")[2].partition("\n\n")[0].splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in _TABLE[2:]]


def functions(path: str) -> set[str]:
    """The names of the tests in a file."""
    found = ast.walk(ast.parse((ROOT / path).read_text()))
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in found if isinstance(node, defined) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].split(":")[0])
def test_a_row_is_held_by_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 4
    named = re.findall(r"`([a-z0-9_/]+\.py)(?:::(\w+))?`", row[3])
    assert named, row[0]
    for path, name in named:
        tests = functions(path)
        assert tests, path
        assert not name or name in tests, f"{path}::{name}"


def test_nothing_of_what_can_die_is_left_out() -> None:
    dying = " ".join(row[0] for row in ROWS)
    parts = ("client", "gateway", "service", "PostgreSQL", "standby", "disk", "RabbitMQ", "grading", "auth")
    for part in (*parts, "duplicate"):
        assert part in dying
