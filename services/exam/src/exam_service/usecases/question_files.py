"""Taking in the pictures of questions."""

from uuid import UUID

from examkit.db import Database
from examkit.ids import uuid7

from exam_service.file_store import FileStore
from exam_service.pictures.process import Studio
from exam_service.repository import files
from exam_service.usecases.actor import Actor


async def add_question_file(
    db: Database, store: FileStore, studio: Studio, actor: Actor, data: bytes
) -> UUID:
    """Keep a picture for questions to name; its id. Raises too_large, unsupported, invalid."""
    picture = await studio.draw(data)
    # The row first, as with answers.
    async with db.transaction() as tx:
        file = await files.insert_question_file(tx.conn, uuid7(), picture.media_type, len(picture.data))
        after = {"media_type": picture.media_type, "size_bytes": len(picture.data)}
        await tx.audit(actor.did("file.uploaded", "file", file.id, after=after))
    await store.put(file.path, picture.data)
    return file.id
