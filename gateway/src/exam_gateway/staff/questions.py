"""The question bank: content from exam, keys and explanations from grading, and import as the only way in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from examkit.rpc.client import call
from examprotos.exam.v1 import authoring_pb2, questions_pb2
from examprotos.grading.v1 import keys_pb2
from examprotos.imports.v1 import content_pb2
from fastapi import APIRouter, Body, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit, Short
from exam_gateway.staff import question_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.wire import page_limit

router = APIRouter(prefix="/api/v1/admin/questions", tags=["question bank"], route_class=StaffRoute)


@router.get("", operation_id="list_questions", summary="The bank")
async def list_questions(
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
    category: Annotated[Short, Query()] = "",
    tag: Annotated[Short, Query()] = "",
    type: Annotated[shapes.QuestionType | None, Query()] = None,
    q: Annotated[Short, Query(description="Part of the text.")] = "",
) -> shapes.Questions:
    request = authoring_pb2.ListQuestionsRequest(
        limit=page_limit(limit), cursor=cursor, category=category, tag=tag, q=q
    )
    if type is not None:
        request.type = shapes.TYPE_NUMBERS[type]
    found = await call(staff.authoring.ListQuestions, request, timeout=READ_SECONDS, idempotent=True)
    return shapes.Questions(items=await with_keys(staff, found.items), next_cursor=found.next_cursor or None)


@router.post(
    "",
    operation_id="create_question",
    summary="Write a question",
    status_code=201,
    responses=failures("external_id_taken"),
)
async def create_question(body: Annotated[shapes.NewQuestion, Body()], staff: Staff) -> shapes.Question:
    return await _put(staff, content_pb2.PutQuestionRequest(**_parts(body)))


@router.get(
    "/{question_id}", operation_id="get_question", summary="A question", responses=failures("not_found")
)
async def get_question(question_id: Id, staff: Staff) -> shapes.Question:
    return await _get(staff, str(question_id))


@router.put(
    "/{question_id}",
    operation_id="edit_question",
    summary="Edit a question",
    responses=failures("not_found", "stale_version", "external_id_taken"),
)
async def edit_question(
    question_id: Id, body: Annotated[shapes.EditedQuestion, Body()], staff: Staff
) -> shapes.Question:
    """Makes a new version; published exams keep theirs."""
    request = content_pb2.PutQuestionRequest(
        question_id=str(question_id), expected_version=body.version, **_parts(body)
    )
    return await _put(staff, request)


@router.delete(
    "/{question_id}",
    operation_id="archive_question",
    summary="Take a question out of the bank",
    status_code=204,
    responses=failures("not_found", "in_use"),
)
async def archive_question(question_id: Id, staff: Staff) -> None:
    """Published exams keep it."""
    request = authoring_pb2.ArchiveQuestionRequest(id=str(question_id))
    await call(staff.authoring.ArchiveQuestion, request, timeout=WRITE_SECONDS)


async def with_keys(
    staff: StaffBackend, questions: Sequence[questions_pb2.Question]
) -> list[shapes.Question]:
    """Raises unavailable while grading is down: a bank without its keys would look as if they were lost."""
    if not questions:
        return []
    request = keys_pb2.GetKeysRequest(version_ids=[question.version_id for question in questions])
    found = await call(staff.keys.GetKeys, request, timeout=READ_SECONDS, idempotent=True)
    keys = {item.version_id: item.key for item in found.items}
    return [shapes.question(question, keys.get(question.version_id)) for question in questions]


def _parts(body: Any) -> dict[str, Any]:
    return {
        "content": shapes.content(body, body.type, body.options),
        "key": shapes.answer_key(body.key, body.explanation),
    }


async def _put(staff: StaffBackend, request: content_pb2.PutQuestionRequest) -> shapes.Question:
    put = await call(staff.content.PutQuestion, request, timeout=WRITE_SECONDS)
    return await _get(staff, put.question_id)


async def _get(staff: StaffBackend, question_id: str) -> shapes.Question:
    request = authoring_pb2.GetQuestionRequest(id=question_id)
    found = await call(staff.authoring.GetQuestion, request, timeout=READ_SECONDS, idempotent=True)
    return (await with_keys(staff, [found]))[0]
