"""Reading a file: an answer's is for its student and staff, a question's for staff and who sits the exam."""

from dataclasses import dataclass
from uuid import UUID

from examkit.db import Database
from examkit.errors import AppError, Kind, not_found
from examkit.ids import parse_uuid
from examkit.principal import Principal

from exam_service.domain.file import StoredFile
from exam_service.file_store import FileStore
from exam_service.repository import files
from exam_service.repository.papers import PaperCache
from exam_service.turns import Turns

AT_ONCE = 16
MOST = 48
"""Reads at once and those that wait: a picture is held in memory, 10 MiB at the most."""


@dataclass(frozen=True, slots=True)
class File:
    media_type: str
    data: bytes


class FileReader:
    """Finds files for who may see them."""

    def __init__(self, db: Database, papers: PaperCache, store: FileStore) -> None:
        self._db = db
        self._papers = papers
        self._store = store
        self._turns = Turns(AT_ONCE, MOST, "Too many pictures are being read at once. Try again.")

    async def read(self, principal: Principal, file_id: str) -> File:
        """Raises not_found, also for what belongs to others, and unavailable."""
        file = await self._visible(principal, parse_uuid(file_id, "file"))
        if file is not None:
            async with self._turns.take():
                data = await self._store.get(file.path)
        if file is None or data is None:
            raise not_found("There is no such file.")
        return File(file.media_type, data)

    async def _visible(self, principal: Principal, file_id: UUID) -> StoredFile | None:
        owner = None if principal.is_admin else principal.user_id
        async with self._db.reading() as conn:
            file = await files.get_answer_file(conn, file_id, owner)
            if file is not None:
                return file
            file = await files.get_question_file(conn, file_id)
            if file is None or owner is None:
                return file
            exams = await files.exams_of(conn, owner)
        # Papers are read after the connection went back: none that waits for a second may hold a first.
        return file if await self._is_in_a_paper(file_id, exams) else None

    async def _is_in_a_paper(self, file_id: UUID, exam_ids: list[UUID]) -> bool:
        for exam_id in exam_ids:
            try:
                paper = await self._papers.get(exam_id)
            except AppError as error:
                if error.kind is not Kind.NOT_FOUND:
                    raise
                continue
            if file_id in paper.files:
                return True
        return False
