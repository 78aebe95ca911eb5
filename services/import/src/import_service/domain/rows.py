"""Judging the rows of one workbook, one after the other."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from import_service.domain.cells import BrokenCell
from import_service.domain.columns import Kind, Layout
from import_service.domain.question import Question
from import_service.domain.question_rows import read_question
from import_service.domain.refusal import RowFault
from import_service.domain.student_rows import Student, email_key, read_student

Item = Question | Student


class SheetRow(NamedTuple):
    """A row as the spreadsheet counts, its cells as text, and by their places those that hold no value."""

    number: int
    cells: list[str]
    broken: Mapping[int, BrokenCell] = MappingProxyType({})


class Judge:
    """Knows the layout, and the people of the rows before."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rows_of_people: dict[str, int] = {}

    def read(self, row: SheetRow) -> Item | list[RowFault]:
        """What the row holds, or everything that is wrong with it."""
        read = self._read(row)
        broken = self._broken(row) if row.broken else {}
        if not broken:
            return read
        # What stands for a broken cell may seem wrong in its own column, and nowhere else.
        others = [fault for fault in read if fault.column not in broken] if isinstance(read, list) else []
        return [*broken.values(), *others]

    def _broken(self, row: SheetRow) -> dict[str, RowFault]:
        cells = {name: row.broken.get(place) for name, place in self._layout.positions.items()}
        return {name: RowFault(name, cell.code, cell.message) for name, cell in cells.items() if cell}

    def _read(self, row: SheetRow) -> Item | list[RowFault]:
        fields = self._layout.fields(row.cells)
        if self._layout.kind is Kind.QUESTIONS:
            return read_question(fields)
        return self._student(row.number, read_student(fields))

    def _student(self, number: int, student: Student | list[RowFault]) -> Item | list[RowFault]:
        if isinstance(student, Student):
            before = self._rows_of_people.setdefault(email_key(student.email), number)
            if before != number:
                message = f"This e-mail address stands in row {before} too: remove one of the rows."
                return [RowFault("email", "duplicate_email", message)]
        return student
