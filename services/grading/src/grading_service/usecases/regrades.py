"""What was decided about an exam's questions, how far it has come, and what it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from examkit.db import Database
from examkit.errors import not_found

from grading_service.domain.regrading import Regrade
from grading_service.repository import regrades
from grading_service.repository.regrades import Difference


@dataclass(frozen=True)
class Known:
    """A regrade. `applied`: it reached every grade; `rolled_back_by`: the rollback that took it back."""

    regrade: Regrade
    differences: Sequence[Difference]
    applied: bool
    rolled_back_by: UUID | None


async def list_regrades(db: Database, exam_id: UUID) -> list[Known]:
    """All of the exam, the newest first."""
    async with db.reading() as conn:
        found = await regrades.of_exam(conn, exam_id)
        progress = await regrades.progress(conn, exam_id)
        changed = await regrades.differences(conn, [one.id for one in found])
    undone = {one.undoes: one.id for one in found}
    applied = progress.applied if progress else 0
    return [
        Known(one, changed[one.id], one.version <= applied, undone.get(one.id)) for one in reversed(found)
    ]


async def get_regrade(db: Database, exam_id: UUID, regrade_id: UUID) -> Known:
    """Raises: not_found."""
    for known in await list_regrades(db, exam_id):
        if known.regrade.id == regrade_id:
            return known
    raise not_found("This exam has no such regrade.")
