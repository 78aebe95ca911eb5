"""Judging the rows of one workbook, one after the other."""

from collections.abc import Sequence

from import_service.domain.columns import Kind, Layout
from import_service.domain.question import Question
from import_service.domain.question_rows import read_question
from import_service.domain.refusal import RowFault
from import_service.domain.student_rows import Student, email_key, read_student

Item = Question | Student


class Judge:
    """Knows the layout, and the people of the rows before."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rows_of_people: dict[str, int] = {}

    def read(self, number: int, cells: Sequence[str]) -> Item | list[RowFault]:
        """What the row holds, or everything that is wrong with it. `number` as the spreadsheet counts."""
        fields = self._layout.fields(cells)
        if self._layout.kind is Kind.QUESTIONS:
            return read_question(fields)
        return self._student(number, read_student(fields))

    def _student(self, number: int, student: Student | list[RowFault]) -> Item | list[RowFault]:
        if isinstance(student, Student):
            before = self._rows_of_people.setdefault(email_key(student.email), number)
            if before != number:
                message = f"This e-mail address stands in row {before} too: remove one of the rows."
                return [RowFault("email", "duplicate_email", message)]
        return student
