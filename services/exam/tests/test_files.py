"""Files: who may send one when, which answers may name it, who may see it, and when it goes."""

import asyncio
import time
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from exam_service.domain.bank import Outcome
from exam_service.domain.intervening import Action, Order
from exam_service.file_store import FileStore
from exam_service.pictures.process import Studio
from exam_service.usecases import read_file
from exam_service.usecases.actor import Actor
from exam_service.usecases.answer_files import AnswerFiles
from exam_service.usecases.intervene import Intervention, intervene
from exam_service.usecases.question_files import add_question_file
from exam_service.usecases.questions import check_questions, put_questions
from exam_service.usecases.read_file import FileReader
from exam_service.usecases.sweep_files import sweep_files
from examkit.db import Database
from examkit.errors import AppError
from examkit.principal import Principal
from PIL import Image

from .builders import bank, content, item, published, rows, write
from .sitting import Hall, outcomes, sent, student


def photo(colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


class Desk:
    """The use cases of files around one hall."""

    def __init__(self, hall: Hall, folder: Path) -> None:
        self.hall = hall
        self.db = hall.db
        self.folder = folder
        self.store = FileStore(folder.as_uri())
        self.answers = AnswerFiles(hall.db, hall.papers, self.store, Studio())
        self.reader = FileReader(hall.db, hall.papers, self.store)

    async def upload(
        self, who: Principal, attempt: UUID, question: UUID, data: bytes = b"", elapsed: float = 0.0
    ) -> UUID:
        arrived = time.monotonic() - elapsed
        return await self.answers.add(who, str(attempt), str(question), data or photo(), arrived)

    async def for_question(self, admin: Actor, data: bytes = b"") -> UUID:
        return await add_question_file(self.db, self.store, Studio(), admin, data or photo())

    async def sees(self, who: Principal, file_id: UUID) -> bool:
        try:
            return (await self.reader.read(who, str(file_id))).media_type == "image/png"
        except AppError as error:
            if error.code != "not_found":
                raise
            return False

    @property
    def kept(self) -> int:
        return sum(path.is_file() for path in self.folder.rglob("*"))


@pytest.fixture
def desk(hall: Hall, tmp_path: Path) -> Desk:
    return Desk(hall, tmp_path / "the files")


@pytest.fixture
async def sitting(hall: Hall) -> tuple[Principal, UUID, UUID, UUID]:
    """A student, an attempt, its image question and another one."""
    exam = await hall.exam(("image", "text"))
    image, text = (question.question_id for question in (await hall.paper(exam)).questions)
    who, begun = await hall.sits(exam)
    return who, begun.attempt.id, image, text


Sitting = tuple[Principal, UUID, UUID, UUID]


async def refusal(upload: object) -> str:
    with pytest.raises(AppError) as refused:
        await upload  # type: ignore[misc]
    return refused.value.code


async def test_a_picture_becomes_an_answer(desk: Desk, hall: Hall, sitting: Sitting) -> None:
    who, attempt, image, _ = sitting
    file_id = await desk.upload(who, attempt, image)
    assert outcomes(await hall.save(who, attempt, sent(image, str(file_id).upper(), 1))) == ["stored"]
    # However it is written, it is the same answer.
    assert outcomes(await hall.save(who, attempt, sent(image, str(file_id), 1))) == ["repeat"]
    assert (await hall.stored(attempt))[image] == (str(file_id), 1)
    found = await desk.reader.read(who, str(file_id))
    assert found.data.startswith(b"\x89PNG")
    assert outcomes(await hall.save(who, attempt, sent(image, None, 2))) == ["stored"]


async def test_an_answer_names_a_picture_of_its_own(desk: Desk, hall: Hall) -> None:
    """Not another student's, nor of another attempt or question, nor one that never was."""
    exam = await hall.exam(("image", "image"), max_attempts=2)
    first, second = (question.question_id for question in (await hall.paper(exam)).questions)
    who, begun = await hall.sits(exam)
    earlier = await desk.upload(who, begun.attempt.id, first)
    await hall.submit(who, begun.attempt.id)
    attempt = (await hall.start(who, exam)).attempt.id
    other, others = await hall.sits(exam)
    foreign = await desk.upload(other, others.attempt.id, first)
    own = await desk.upload(who, attempt, first)
    swapped = sent(second, str(own), 1)
    result = await hall.save(who, attempt, sent(first, str(own), 1), swapped)
    assert outcomes(result) == ["stored", "rejected"]
    assert result.verdicts[1].code == "invalid"
    for wrong in (earlier, foreign, uuid4()):
        assert outcomes(await hall.save(who, attempt, sent(first, str(wrong), 9))) == ["rejected"]
    assert await hall.stored(attempt) == {first: (str(own), 1)}


async def test_a_submit_takes_own_pictures_alone(desk: Desk, hall: Hall, sitting: Sitting) -> None:
    who, attempt, image, text = sitting
    file_id = await desk.upload(who, attempt, image)
    unknown = sent(image, str(uuid4()), 1)
    done = await hall.submit(who, attempt, unknown, sent(text, "an essay", 1), sent(image, str(file_id), 2))
    assert [verdict.code for verdict in done.rejected] == ["invalid"]
    assert await hall.stored(attempt) == {image: (str(file_id), 2), text: ("an essay", 1)}


async def test_pictures_are_taken_for_image_questions(desk: Desk, sitting: Sitting) -> None:
    who, attempt, image, text = sitting
    for question in (text, uuid4()):
        assert await refusal(desk.upload(who, attempt, question)) == "invalid"
    assert await refusal(desk.upload(who, uuid4(), image)) == "not_found"
    assert await refusal(desk.upload(student(), attempt, image)) == "not_found"
    assert await refusal(desk.upload(who, attempt, image, b"<svg/>")) == "unsupported"
    assert desk.kept == 0


async def test_pictures_are_taken_until_deadline_and_grace(desk: Desk, hall: Hall, sitting: Sitting) -> None:
    who, attempt, image, _ = sitting
    await hall.move_deadline(attempt, -29)
    assert await desk.upload(who, attempt, image)
    await hall.move_deadline(attempt, -33)
    # It came in before: what the gateway and the line took is not the student's fault.
    assert await desk.upload(who, attempt, image, elapsed=4.5)
    assert await refusal(desk.upload(who, attempt, image)) == "time_limit_exceeded"


@pytest.mark.parametrize(
    ("status", "code"),
    [("paused", "attempt_paused"), ("void", "attempt_void"), ("expired", "time_limit_exceeded")],
)
async def test_no_picture_is_taken_when_the_attempt_is_not_open(
    desk: Desk, db: Database, sitting: Sitting, status: str, code: str
) -> None:
    who, attempt, image, _ = sitting
    await write(
        db,
        "UPDATE student_exams SET status = :s, closed_at = CASE WHEN :s = 'paused' THEN NULL ELSE now() END",
        s=status,
    )
    assert await refusal(desk.upload(who, attempt, image)) == code


async def test_no_picture_is_taken_after_submitting(desk: Desk, hall: Hall, sitting: Sitting) -> None:
    who, attempt, image, _ = sitting
    await hall.submit(who, attempt)
    assert await refusal(desk.upload(who, attempt, image)) == "already_submitted"


async def test_nobody_fills_the_store(desk: Desk, sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    who, attempt, image, _ = sitting
    monkeypatch.setattr("exam_service.usecases.answer_files.MAX_PER_ANSWER", 2)
    for _ in range(2):
        await desk.upload(who, attempt, image)
    assert await refusal(desk.upload(who, attempt, image)) == "too_many_files"


async def test_one_students_pictures_are_drawn_two_at_a_time(desk: Desk, sitting: Sitting) -> None:
    who, attempt, image, _ = sitting
    sent = [desk.upload(who, attempt, image) for _ in range(5)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, AppError)]
    assert {error.code for error in refused} == {"rate_limited"}
    assert len(refused) == 3
    assert all(error.retry_after for error in refused)
    assert await desk.upload(who, attempt, image)


async def test_an_answer_is_seen_by_its_student_and_by_staff(
    desk: Desk, hall: Hall, sitting: Sitting
) -> None:
    who, attempt, image, _ = sitting
    file_id = await desk.upload(who, attempt, image)
    assert await desk.sees(who, file_id)
    assert await desk.sees(student(role="admin"), file_id)
    assert not await desk.sees(student(), file_id)
    neighbour, _ = await hall.sits((await hall.row(attempt))["exam_id"])
    assert not await desk.sees(neighbour, file_id)
    assert not await desk.sees(who, uuid4())


async def test_a_questions_picture_is_seen_by_who_sits_it(desk: Desk, hall: Hall, admin: Actor) -> None:
    shown, hidden = await desk.for_question(admin), await desk.for_question(admin)
    naming = content("Which cell?", media=[{"file_id": str(shown), "alt": "A cell"}])
    exam = (await published(hall.db, await bank(hall.db, naming))).exam.id
    who, _ = await hall.sits(exam)
    assert await desk.sees(who, shown)
    assert not await desk.sees(who, hidden)
    assert await desk.sees(student(role="admin"), hidden)
    other, _ = await hall.sits(await hall.exam(("text",)))
    assert not await desk.sees(other, shown)
    assert not await desk.sees(student(), shown)
    (entry, _) = await rows(hall.db, "SELECT * FROM audit WHERE action = 'file.uploaded' ORDER BY id")
    assert (entry["actor_id"], entry["object_id"]) == (admin.id, str(shown))


async def test_a_question_names_pictures_that_are_there(desk: Desk, admin: Actor) -> None:
    there = await desk.for_question(admin)
    offered = [
        item(content("Where?", media=[{"file_id": str(named)}, {"url": "cell.png"}, "x", {"file_id": 3}]))
        for named in (there, uuid4())
    ]
    for outcome in (await check_questions(desk.db, offered), await put_questions(desk.db, admin, offered)):
        assert [(one.kind, one.code) for one in outcome] == [("created", ""), ("rejected", "invalid")]
        assert "upload it first" in outcome[1].detail


async def age(db: Database) -> None:
    """As if all of it had been more than a day ago."""
    await write(db, "UPDATE answer_files SET created_at = created_at - interval '25 hours'")
    await write(db, "UPDATE question_files SET created_at = created_at - interval '25 hours'")
    await write(db, "UPDATE student_exams SET closed_at = closed_at - interval '25 hours'")


async def test_what_no_answer_names_goes_a_day_after_the_attempt(
    desk: Desk, hall: Hall, sitting: Sitting
) -> None:
    who, attempt, image, _ = sitting
    dropped, kept = await desk.upload(who, attempt, image), await desk.upload(who, attempt, image)
    await hall.save(who, attempt, sent(image, str(dropped), 1))
    await hall.save(who, attempt, sent(image, str(kept), 2))
    await age(desk.db)
    assert await sweep_files(desk.db, desk.store) == 0  # the attempt goes on
    await hall.submit(who, attempt)
    assert await sweep_files(desk.db, desk.store) == 0  # it may be reopened
    await age(desk.db)
    assert await sweep_files(desk.db, desk.store) == 1
    assert not await desk.sees(who, dropped)
    assert await desk.sees(who, kept)
    assert desk.kept == 1
    assert await sweep_files(desk.db, desk.store) == 0


async def test_what_a_reopened_attempt_had_closed_with_is_kept(
    desk: Desk, hall: Hall, sitting: Sitting, admin: Actor
) -> None:
    who, attempt, image, _ = sitting
    first, second = await desk.upload(who, attempt, image), await desk.upload(who, attempt, image)
    await hall.submit(who, attempt, sent(image, str(first), 1))
    again = Intervention(admin, Order(Action.REOPENED), "submitted by mistake")
    await intervene(desk.db, hall.papers, str(attempt), again)
    await hall.submit(who, attempt, sent(image, str(second), 2))
    await age(desk.db)
    assert await sweep_files(desk.db, desk.store) == 0
    assert await desk.sees(who, first)


async def test_what_no_question_names_goes_after_a_day(desk: Desk, admin: Actor) -> None:
    staff = student(role="admin")
    dropped, kept = await desk.for_question(admin), await desk.for_question(admin)
    await bank(desk.db, content("Which?", media=[{"file_id": str(kept)}]))
    assert await sweep_files(desk.db, desk.store) == 0
    await age(desk.db)
    assert await sweep_files(desk.db, desk.store, batch=1) == 1
    assert not await desk.sees(staff, dropped)
    assert await desk.sees(staff, kept)


async def test_a_file_that_cannot_be_removed_stops_no_other(
    desk: Desk, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = await desk.for_question(admin), await desk.for_question(admin)
    await age(desk.db)
    delete = desk.store.delete

    async def broken(path: str) -> None:
        if str(stuck) in path:
            raise ConnectionError(path)
        await delete(path)

    with monkeypatch.context() as breaking:
        breaking.setattr(desk.store, "delete", broken)
        tried = [await sweep_files(desk.db, desk.store, batch=1) for _ in range(3)]
    assert tried == [1, 1, 0]
    staff = student(role="admin")
    assert (await desk.sees(staff, stuck), await desk.sees(staff, other)) == (True, False)
    await write(desk.db, "UPDATE question_files SET going_at = going_at - interval '1 hour'")
    assert await sweep_files(desk.db, desk.store) == 1
    assert desk.kept == 0


async def test_nothing_names_a_file_that_is_being_removed(
    desk: Desk, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = await desk.for_question(admin)
    await age(desk.db)
    naming = [item(content("Which?", media=[{"file_id": str(file_id)}]))]
    named: list[Outcome] = []

    async def meanwhile(path: str) -> None:
        named.extend(await put_questions(desk.db, admin, naming))

    monkeypatch.setattr(desk.store, "delete", meanwhile)
    assert await sweep_files(desk.db, desk.store) == 1
    assert [one.code for one in named] == ["invalid"]


async def test_a_store_that_is_away_is_said_to_be(desk: Desk, sitting: Sitting) -> None:
    who, attempt, image, _ = sitting
    desk.folder.rmdir()
    desk.folder.write_text("no folder")
    assert await refusal(desk.upload(who, attempt, image)) == "unavailable"
    assert not await rows(desk.db, "SELECT id FROM answer_files")


async def test_an_upload_given_up_leaves_nothing(
    desk: Desk, sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, attempt, image, _ = sitting
    put, kept = desk.store.put, asyncio.Event()

    async def slow(path: str, data: bytes) -> None:
        await put(path, data)
        kept.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(desk.store, "put", slow)
    upload = asyncio.create_task(desk.upload(who, attempt, image))
    await kept.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert not await rows(desk.db, "SELECT id FROM answer_files")
    assert desk.kept == 0


async def test_few_pictures_are_read_at_once(
    desk: Desk, sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, attempt, image, _ = sitting
    file_id = await desk.upload(who, attempt, image)
    get, reading, most = desk.store.get, 0, 0

    async def counted(path: str) -> bytes | None:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        found = await get(path)
        reading -= 1
        return found

    monkeypatch.setattr(read_file, "AT_ONCE", 2)
    monkeypatch.setattr(read_file, "MOST", 3)
    monkeypatch.setattr(desk.store, "get", counted)
    reader = FileReader(desk.db, desk.hall.papers, desk.store)
    reads = [reader.read(who, str(file_id)) for _ in range(8)]
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, AppError)]
    assert {error.code for error in refused} <= {"unavailable"}
    assert most <= 2
    assert await reader.read(who, str(file_id))


async def test_bytes_that_are_gone_are_not_found(desk: Desk, sitting: Sitting) -> None:
    who, attempt, image, _ = sitting
    file_id = await desk.upload(who, attempt, image)
    await desk.store.delete(f"answers/{who.user_id}/{file_id}")
    await desk.store.delete(f"answers/{who.user_id}/{file_id}")
    assert not await desk.sees(who, file_id)


async def test_uploads_of_many_at_once(desk: Desk, hall: Hall) -> None:
    exam = await hall.exam(("image",))
    (question,) = (await hall.paper(exam)).questions
    seats = [await hall.sits(exam) for _ in range(6)]
    files = await asyncio.gather(
        *(desk.upload(who, begun.attempt.id, question.question_id) for who, begun in seats)
    )
    requests = [
        hall.request(who, begun.attempt.id, sent(question.question_id, str(file_id), 1))
        for (who, begun), file_id in zip(seats, files, strict=True)
    ]
    results = await hall.saver.save_batch(requests)
    assert [outcomes(result) for result in results] == [["stored"]] * 6
