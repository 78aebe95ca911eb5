"""Import jobs as staff see them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from examprotos.imports.v1 import imports_pb2
from pydantic import AwareDatetime, Field

from exam_gateway.shapes import Out
from exam_gateway.wire import id_or_none, moment, when

Kind = Literal["questions", "users"]
OnError = Literal["reject_file", "skip_rows"]


class CellError(Out):
    column: str | None = Field(examples=["correct"])
    code: str = Field(examples=["unknown_option"])
    message: str = Field(description="Says what to change.")


class RowError(CellError):
    row: int = Field(description="As the spreadsheet counts, the header being 1.", examples=[17])


class Failure(Out):
    code: str
    detail: str


class Job(Out):
    id: UUID
    kind: Kind
    filename: str = Field(examples=["questions.xlsx"])
    dry_run: bool
    on_error: OnError
    status: Literal["queued", "running", "completed", "failed"]
    total_rows: int
    processed_rows: int
    imported: int = Field(description="New. After a dry run these three are what an import would give.")
    updated: int
    skipped: int
    errors: list[RowError] = Field(description="The first 1,000.")
    error_count: int
    failure: Failure | None = Field(description="Why, where it failed.")
    created_by: UUID | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None


class Jobs(Out):
    items: list[Job]
    next_cursor: str | None


class FailedRow(Out):
    row: int = Field(description="As the spreadsheet counts, the header being 1.", examples=[17])
    cells: dict[str, str] = Field(
        description="What was read, by column, in the template's order: no empty cells, no passwords, "
        "long texts shortened.",
        examples=[{"type": "single_choice", "question": "2 + 2?", "option_a": "4", "correct": "F"}],
    )
    errors: list[CellError]


class FailedRows(Out):
    items: list[FailedRow]
    next_cursor: str | None


def job(found: imports_pb2.Job) -> Job:
    kind: Any = found.kind
    on_error: Any = found.on_error
    status: Any = found.status
    failure = None
    if found.failure_code:
        failure = Failure(code=found.failure_code, detail=found.failure_detail)
    return Job(
        id=UUID(found.id),
        kind=kind,
        filename=found.filename,
        dry_run=found.dry_run,
        on_error=on_error,
        status=status,
        total_rows=found.total_rows,
        processed_rows=found.processed_rows,
        imported=found.imported,
        updated=found.updated,
        skipped=found.skipped,
        errors=[
            RowError(row=error.row, column=error.column or None, code=error.code, message=error.message)
            for error in found.errors
        ],
        error_count=found.error_count,
        failure=failure,
        created_by=id_or_none(found.created_by),
        created_at=when(found.created_at),
        finished_at=moment(found, "finished_at"),
    )


def failed_row(found: imports_pb2.FailedRow) -> FailedRow:
    return FailedRow(
        row=found.row,
        cells={cell.column: cell.text for cell in found.cells},
        errors=[
            CellError(column=error.column or None, code=error.code, message=error.message)
            for error in found.errors
        ],
    )
