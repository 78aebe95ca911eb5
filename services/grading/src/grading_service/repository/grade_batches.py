"""Writing the grades of many attempts at once: one statement for each table, whatever their number."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.student_view import GradedItem
from grading_service.repository.grades import GradedAttempt, grade_of

Attempt = tuple[UUID, UUID]
"""Student and attempt: the key of all that belongs to it."""

_GRADE = {
    "student_id": "uuid",
    "student_exam_id": "uuid",
    "exam_id": "uuid",
    "attempt_no": "int",
    "attempt_version": "bigint",
    "status": "text",
    "started_at": "timestamptz",
    "closed_at": "timestamptz",
    "total": "bigint",
    "max_possible": "bigint",
    "percentage": "int",
    "graded_count": "int",
    "pending_count": "int",
    "letterings": "jsonb",
    "graded_at": "timestamptz",
    "rules_version": "int",
    "revision": "bigint",
    "changes": "jsonb",
}
_ITEM = {
    "question_id": "uuid",
    "position": "int",
    "status": "text",
    "is_correct": "boolean",
    "score": "bigint",
    "max_score": "bigint",
    "answer": "jsonb",
    "shown": "jsonb",
    "comment": "text",
    "marked_by": "uuid",
    "marked_score": "bigint",
    "criteria": "jsonb",
    "mark_version": "int",
}
_ITEM_HEAD = {"student_id": "uuid", "student_exam_id": "uuid", "exam_id": "uuid", "closed_at": "timestamptz"}
_VIEW = {"student_id": "uuid", "student_exam_id": "uuid", "plain": "jsonb", "revealing": "jsonb"}


# Rows travel as one JSON document: the driver would quote an array of documents character by character.
def recordset(name: str, columns: Mapping[str, str], rows: str = "CAST(:rows AS jsonb)") -> str:
    """The rows of a `document` as a table of these columns and types."""
    typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return f"jsonb_to_recordset({rows}) AS {name} ({typed})"


def _update(columns: Mapping[str, str]) -> str:
    values = ", ".join(f"{name} = excluded.{name}" for name in columns if not name.startswith("student_"))
    return f"ON CONFLICT (student_id, student_exam_id) DO UPDATE SET {values}"


_WANTED = (
    "unnest(CAST(:student_id AS uuid[]), CAST(:student_exam_id AS uuid[])) AS wanted (student_id, attempt_id)"
)
_GRADED = f"""
    grades JOIN {_WANTED}
           ON grades.student_id = wanted.student_id AND grades.student_exam_id = wanted.attempt_id
"""
_LOCK = sa.text(
    f"""
    SELECT grades.* FROM {_GRADED}
    ORDER BY grades.student_id, grades.student_exam_id FOR UPDATE OF grades
    """  # noqa: S608 - names of ours
)
_PUT_NEWER = sa.text(
    f"""
    INSERT INTO grades ({", ".join(_GRADE)}) SELECT {", ".join(_GRADE)} FROM {recordset("grade", _GRADE)}
    {_update(_GRADE)}, withdrawn = false WHERE grades.attempt_version < excluded.attempt_version
    RETURNING student_id, student_exam_id
    """  # noqa: S608 - names of ours
)
_PUT_ITEMS = sa.text(
    f"""
    INSERT INTO grade_items ({", ".join(_ITEM_HEAD | _ITEM)})
    SELECT {", ".join(f"grade.{name}" for name in _ITEM_HEAD)}, {", ".join(f"item.{name}" for name in _ITEM)}
    FROM {recordset("grade", _ITEM_HEAD | {"items": "jsonb"})}, {recordset("item", _ITEM, "grade.items")}
    """  # noqa: S608 - names of ours
)
_PUT_VIEWS = sa.text(
    f"""
    INSERT INTO student_views ({", ".join(_VIEW)}) SELECT {", ".join(_VIEW)} FROM {recordset("view", _VIEW)}
    {_update(_VIEW)}
    """  # noqa: S608 - names of ours
)
_DROP_ITEMS = sa.text(
    f"""
    DELETE FROM grade_items USING {_WANTED}
    WHERE grade_items.student_id = wanted.student_id AND grade_items.student_exam_id = wanted.attempt_id
    """  # noqa: S608 - names of ours
)
_VERSIONS = sa.text(
    f"SELECT grades.student_id, grades.student_exam_id, grades.attempt_version FROM {_GRADED}"  # noqa: S608
)


async def lock(conn: AsyncConnection, attempts: Collection[Attempt]) -> dict[Attempt, GradedAttempt]:
    """The grades that these attempts have, locked until the end of the transaction.

    In one order for everybody, so that two who grade the same attempts wait and don't deadlock.
    """
    rows = (await conn.execute(_LOCK, _keys(attempts))).all()
    return {(row.student_id, row.student_exam_id): grade_of(row) for row in rows}


async def put_newer(conn: AsyncConnection, grades: Sequence[GradedAttempt]) -> set[Attempt]:
    """Store those whose attempt is not graded in the same or a later version, and tell which these are.

    `grades`: one an attempt, in the order of their keys (see `lock`).
    """
    rows = document([_grade_row(grade) for grade in grades])
    return {(row[0], row[1]) for row in await conn.execute(_PUT_NEWER, rows)}


async def put_items(
    conn: AsyncConnection,
    grades: Sequence[tuple[GradedAttempt, Sequence[GradedItem]]],
    replaced: Collection[Attempt],
) -> None:
    """Store the items of these grades; those of `replaced` have some of an earlier version."""
    if replaced:
        await conn.execute(_DROP_ITEMS, _keys(replaced))
    rows = [
        {
            "student_id": grade.student_id,
            "student_exam_id": grade.student_exam_id,
            "exam_id": grade.exam_id,
            "closed_at": grade.closed_at,
            "items": [_item_row(item, place) for place, item in enumerate(items, start=1)],
        }
        for grade, items in grades
    ]
    await conn.execute(_PUT_ITEMS, document(rows))


async def put_views(
    conn: AsyncConnection,
    views: Sequence[tuple[GradedAttempt, list[dict[str, Any]], list[dict[str, Any]]]],
) -> None:
    """Store what the students may be shown: (grade, plain, revealing)."""
    rows = [
        {
            "student_id": grade.student_id,
            "student_exam_id": grade.student_exam_id,
            "plain": plain,
            "revealing": revealing,
        }
        for grade, plain, revealing in views
    ]
    await conn.execute(_PUT_VIEWS, document(rows))


async def versions(conn: AsyncConnection, attempts: Collection[Attempt]) -> dict[Attempt, int]:
    """Up to which version these attempts are graded."""
    rows = (await conn.execute(_VERSIONS, _keys(attempts))).all()
    return {(row[0], row[1]): row[2] for row in rows}


def _grade_row(grade: GradedAttempt) -> dict[str, Any]:
    sums = grade.totals
    return {
        "student_id": grade.student_id,
        "student_exam_id": grade.student_exam_id,
        "exam_id": grade.exam_id,
        "attempt_no": grade.attempt_no,
        "attempt_version": grade.attempt_version,
        "status": grade.status,
        "started_at": grade.started_at,
        "closed_at": grade.closed_at,
        "total": sums.total,
        "max_possible": sums.max_possible,
        "percentage": sums.percentage,
        "graded_count": sums.graded_count,
        "pending_count": sums.pending_count,
        "letterings": grade.letterings,
        "graded_at": grade.graded_at,
        "rules_version": grade.rules_version,
        "revision": grade.revision,
        "changes": grade.changes,
    }


def _item_row(item: GradedItem, place: int) -> dict[str, Any]:
    return {
        "question_id": item.question_id,
        "position": place,
        "status": item.mark.status,
        "is_correct": item.mark.is_correct,
        "score": item.mark.score,
        "max_score": item.max_score,
        "answer": item.answer,
        "shown": item.shown,
        "comment": item.comment,
        "marked_by": item.marked_by,
        "marked_score": item.marked_score,
        "criteria": item.criteria,
        "mark_version": item.mark_version,
    }


def document(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The parameters of a statement with a `recordset`."""
    return {"rows": msgspec.json.encode(rows).decode()}


def _keys(attempts: Collection[Attempt]) -> dict[str, list[UUID]]:
    return {
        "student_id": [student_id for student_id, _ in attempts],
        "student_exam_id": [attempt_id for _, attempt_id in attempts],
    }
