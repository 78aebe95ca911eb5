"""A draft after the example of another exam."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from exam_service.usecases.actor import Actor
from exam_service.usecases.clone import clone_exam
from exam_service.usecases.publish import publish_exam
from exam_service.usecases.roster import Roster, set_roster
from examkit.db import Database
from examkit.errors import AppError

from .builders import FakeGrading, bank, published, rows
from .sitting import Hall


async def test_a_clone_is_a_draft_with_all_but_what_happened(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    question_ids = await bank(db)
    view = await published(
        db, question_ids, 250, title="x" * 200, access_code="sesame", end_time=now + timedelta(hours=1)
    )
    model, student = view.exam, hall.admit()
    await set_roster(db, admin, model.id, Roster(False, frozenset({student.user_id}), ("class-a",)))
    await hall.start(student, model.id, "sesame")

    made = await clone_exam(db, admin, model.id)

    assert (made.exam.status, made.exam.version, made.attempt_count) == ("draft", 0, 0)
    assert made.exam.settings.title == "x" * 193 + " (copy)"
    assert made.exam.settings.access_code == ""
    assert made.exam.settings.end_time == model.settings.end_time
    assert [(one.question_id, one.points_hundredths) for one in made.questions] == [
        (question, 250) for question in question_ids
    ]
    assert (made.exam.roster_all, made.exam.roster_groups, made.student_ids) == (
        False,
        ("class-a",),
        (student.user_id,),
    )
    (entry,) = await rows(db, "SELECT * FROM audit WHERE action = 'exam.cloned'")
    assert (entry["object_id"], entry["after"]["model"]) == (str(made.exam.id), str(model.id))
    assert (await publish_exam(db, FakeGrading(), admin, made.exam.id)).exam.status == "published"
    assert (await hall.start(student, made.exam.id)).attempt.attempt_no == 1


async def test_what_is_not_there_is_not_cloned(db: Database, admin: Actor) -> None:
    with pytest.raises(AppError, match="not_found"):
        await clone_exam(db, admin, uuid4())
