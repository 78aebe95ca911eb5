"""A new draft after the example of an exam."""

from dataclasses import replace
from uuid import UUID

from examkit.db import Database
from examkit.ids import uuid7

from exam_service import errors
from exam_service.domain import exam as rules
from exam_service.repository import exams
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_views import ExamView, view_of

_SUFFIX = " (copy)"


async def clone_exam(db: Database, actor: Actor, exam_id: UUID) -> ExamView:
    """A draft with the exam's settings, questions and roster; of attempts, accommodations and papers nothing.

    Questions are taken as they are in the bank now. The access code is left out: who knew it for one exam
    is not to know it for the next. Raises not_found.
    """
    async with db.transaction() as tx:
        model = await exams.get_exam(tx.conn, exam_id, lock="share")
        if model is None:
            raise errors.no_such_exam()
        title = model.settings.title[: rules.MAX_TITLE - len(_SUFFIX)] + _SUFFIX
        settings = replace(model.settings, title=title, access_code="")
        made = await exams.insert_exam(tx.conn, uuid7(), settings)
        chosen = await exams.exam_questions_of(tx.conn, exam_id)
        await exams.replace_exam_questions(tx.conn, made.id, chosen)
        named = await exams.roster_students_of(tx.conn, exam_id)
        await exams.change_roster_students(tx.conn, made.id, added=named, removed=())
        roster = {"roster_all": model.roster_all, "roster_groups": list(model.roster_groups)}
        made = await exams.update_exam(tx.conn, made.id, roster)
        after = rules.auditable(settings, frozenset(rules.SETTING_NAMES)) | {"model": str(exam_id)}
        await tx.audit(actor.did("exam.cloned", "exam", made.id, after=after))
        return await view_of(tx.conn, made)
