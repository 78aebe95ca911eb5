"""Freezing the paper of an exam that is being published."""

from collections.abc import Sequence
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database
from examkit.errors import conflict

from grading_service.domain.release import ExamPolicy
from grading_service.domain.scoring import Policy
from grading_service.repository import keys, papers, policies
from grading_service.repository.papers import PaperQuestion


async def freeze_paper(
    db: Database,
    exam_id: UUID,
    scoring: Policy,
    questions: Sequence[PaperQuestion],
    exam_policy: ExamPolicy,
) -> list[UUID]:
    """Keep the paper for good; the questions that have no fitting key, and then nothing is stored.

    Raises: conflict `paper_frozen` when another paper of this exam has been graded already.
    """
    async with db.transaction() as tx:
        found = await keys.by_version(tx.conn, {question.version_id for question in questions})
        missing = [one.question_id for one in questions if not _fits(one, found.get(one.version_id))]
        if missing:
            return missing
        if await papers.stored_questions(tx.conn, exam_id) != (scoring, list(questions)):
            if await papers.has_grades(tx.conn, exam_id):
                raise conflict("paper_frozen", "This exam has been sat with another paper.")
            await papers.replace(tx.conn, exam_id, scoring, questions)
            await tx.audit(
                AuditEntry(
                    actor_id=None,
                    actor_kind="service",
                    action="paper.frozen",
                    object_type="exam",
                    object_id=exam_id,
                    after={"question_count": len(questions)},
                )
            )
        await policies.put(tx.conn, exam_id, 0, exam_policy)
    return []


def _fits(question: PaperQuestion, key: keys.StoredKey | None) -> bool:
    return key is not None and key.type == question.type and set(key.option_ids) == set(question.option_ids)
