"""Papers: writing, reading and remembering what an exam was frozen to."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from examkit.db import Database
from examkit.errors import not_found
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import metrics
from exam_service.domain.paper import Option, Paper, PaperQuestion
from exam_service.tables import exam_questions, exams, paper_questions, question_versions, questions

_CONTENT = (
    question_versions.c.version,
    question_versions.c.type,
    question_versions.c.text,
    question_versions.c.options,
    question_versions.c.media,
    question_versions.c.category,
    question_versions.c.tags,
    question_versions.c.external_id,
)


async def read_frozen(conn: AsyncConnection, exam_id: UUID) -> Paper:
    """The frozen paper; without questions where there is none."""
    query = (
        sa.select(
            paper_questions.c.question_id,
            paper_questions.c.version_id,
            paper_questions.c.points_hundredths,
            paper_questions.c.position,
            *_CONTENT,
        )
        .join(question_versions, question_versions.c.id == paper_questions.c.version_id)
        .where(paper_questions.c.exam_id == exam_id)
        .order_by(paper_questions.c.position)
    )
    return Paper(exam_id, tuple(_question(row) for row in await conn.execute(query)))


async def read_draft(conn: AsyncConnection, exam_id: UUID) -> Paper:
    """The paper as it would be if the exam were published now."""
    points = sa.func.coalesce(exam_questions.c.points_hundredths, question_versions.c.points_hundredths)
    query = (
        sa.select(
            exam_questions.c.question_id,
            question_versions.c.id.label("version_id"),
            points.label("points_hundredths"),
            exam_questions.c.position,
            *_CONTENT,
        )
        .join(questions, questions.c.id == exam_questions.c.question_id)
        .join(question_versions, question_versions.c.id == questions.c.version_id)
        .where(exam_questions.c.exam_id == exam_id)
        .order_by(exam_questions.c.position)
    )
    return Paper(exam_id, tuple(_question(row) for row in await conn.execute(query)))


async def insert(conn: AsyncConnection, paper: Paper) -> None:
    """Write a paper. The caller holds the lock on its exam."""
    await conn.execute(
        paper_questions.insert(),
        [
            {
                "exam_id": paper.exam_id,
                "position": question.order,
                "question_id": question.question_id,
                "version_id": question.version_id,
                "points_hundredths": question.points_hundredths,
            }
            for question in paper.questions
        ],
    )


async def delete(conn: AsyncConnection, exam_id: UUID) -> None:
    """Drop the paper of an exam that went back from publishing to draft: nobody has seen it."""
    await conn.execute(paper_questions.delete().where(paper_questions.c.exam_id == exam_id))


class PaperCache:
    """Published papers, remembered for good, the least recently used of more than `size` forgotten.

    A thousand starts at once read a paper once: who comes while it is being read waits for that reading.
    """

    def __init__(self, db: Database, size: int = 500) -> None:
        self._db = db
        self._size = size
        self._papers: OrderedDict[UUID, Paper] = OrderedDict()
        self._loading: dict[UUID, asyncio.Task[Paper]] = {}

    async def get(self, exam_id: UUID) -> Paper:
        """The paper of a published or closed exam. Raises not_found for any other."""
        paper = self._papers.get(exam_id)
        if paper is not None:
            self._papers.move_to_end(exam_id)
            return paper
        loading = self._loading.get(exam_id)
        if loading is None:
            loading = asyncio.create_task(self._load(exam_id))
            self._loading[exam_id] = loading
            loading.add_done_callback(lambda task: self._loaded(exam_id, task))
        # Shielded: one caller who gives up must not take the paper from the others.
        return await asyncio.shield(loading)

    async def _load(self, exam_id: UUID) -> Paper:
        async with self._db.reading() as conn:
            status = await conn.scalar(sa.select(exams.c.status).where(exams.c.id == exam_id))
            # Until it is published a paper may still be dropped; after, it never changes.
            if status not in {"published", "closed"}:
                raise not_found("There is no such exam.")
            return await read_frozen(conn, exam_id)

    def _loaded(self, exam_id: UUID, task: asyncio.Task[Paper]) -> None:
        self._loading.pop(exam_id, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._papers[exam_id] = task.result()
        while len(self._papers) > self._size:
            self._papers.popitem(last=False)
        metrics.cached_papers.set(len(self._papers))


def options_of(stored: Sequence[Any]) -> tuple[Option, ...]:
    """The options as a row holds them: `[{"id", "text"}, …]`."""
    return tuple(Option(option["id"], option["text"]) for option in stored)


def media_of(stored: Any) -> bytes:
    """The media references of a row as JSON text; empty for none."""
    return b"" if stored is None else msgspec.json.encode(stored)


def _question(row: Any) -> PaperQuestion:
    return PaperQuestion(
        question_id=row.question_id,
        version_id=row.version_id,
        version=row.version,
        type=row.type,
        text=row.text,
        options=options_of(row.options),
        points_hundredths=row.points_hundredths,
        order=row.position,
        media_json=media_of(row.media),
        category=row.category,
        tags=tuple(row.tags),
        external_id=row.external_id or "",
    )
