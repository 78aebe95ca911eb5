"""Files: what names them, and how many there may be."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

MAX_PER_ANSWER = 50
"""Pictures sent for one question of one attempt, the answer's and those before it."""
KEPT_UNNAMED = timedelta(days=1)
"""How long a file is kept that nothing names."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`path`: where its bytes lie in the store."""

    id: UUID
    media_type: str
    path: str


def answer_path(student_id: UUID, file_id: UUID) -> str:
    return f"answers/{student_id}/{file_id}"


def question_path(file_id: UUID) -> str:
    return f"questions/{file_id}"


def named_by(media: Any) -> frozenset[UUID]:
    """The files that a question's media name. Media are free in form: what is no id names none of ours."""
    found = set()
    for item in media or ():
        named = item.get("file_id") if isinstance(item, dict) else None
        try:
            found.add(UUID(named))
        except (TypeError, ValueError, AttributeError):
            continue
    return frozenset(found)
