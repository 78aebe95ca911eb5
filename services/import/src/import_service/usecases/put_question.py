"""One question from the editor: by the same rules as a workbook's row, key first, then content."""

from uuid import UUID

from examkit.ids import parse_uuid, uuid7
from examprotos.exam.v1 import content_store_pb2

from import_service import errors, wire
from import_service.domain.question import Question, faults
from import_service.peers import Peers


async def put_question(
    peers: Peers,
    question: Question,
    *,
    question_id: str,
    expected_version: int,
    media_json: bytes,
    on_behalf_of: UUID,
) -> tuple[content_store_pb2.PutQuestionOutcome, UUID]:
    """What exam made of it, and the new version's id. `question_id` empty: a new question.

    Raises invalid located by field, not_found, conflict stale_version and external_id_taken.
    """
    found = faults(question)
    if found:
        raise errors.question_invalid(found)
    version = uuid7()
    item = content_store_pb2.PutQuestion(
        version_id=str(version), content=wire.content_to_wire(question, media_json)
    )
    if question_id:
        item.question_id = str(parse_uuid(question_id, "question"))
        item.expected_version = expected_version
    else:
        item.new_question_id = str(uuid7())
    await peers.put_keys([wire.key_to_wire(version, question)], on_behalf_of, token=None)
    outcome = (await peers.put_questions([item], on_behalf_of, token=None))[0]
    if outcome.outcome == "rejected":
        raise errors.question_rejected(outcome.code, outcome.detail)
    return outcome, version
