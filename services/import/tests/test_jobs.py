"""Jobs from the upload to the end, against Postgres and services behind real gRPC."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from examkit.db import Database
from import_service import repository
from import_service.domain.columns import Kind
from import_service.domain.job import OnError, Status
from import_service.parser.limits import Limits
from import_service.repository import Job, LeaseLost
from import_service.runner import Runner
from import_service.usecases.jobs import forget_failed_rows
from import_service.usecases.storing import version_id

from .conftest import Upload, faults_of, job_of
from .fakes import ADMIN_ID, World
from .makers import USER_HEADER, many_questions, question_grid, xlsx

DATA = Path(__file__).parents[3] / "tests/data"


async def count(db: Database, table: str) -> int:
    async with db.reading() as conn:
        return int((await conn.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_the_science_workbook_is_imported_whole(imported: Upload, around: World, db: Database) -> None:
    job = await imported((DATA / "questions-science.xlsx").read_bytes(), "questions-science.xlsx")
    assert (job.status, job.total_rows, job.processed_rows, job.imported) == (
        Status.COMPLETED,
        2483,
        2483,
        2483,
    )
    assert (job.updated, job.skipped, job.error_count) == (0, 0, 0)
    assert len(around.exam.versions) == len(around.grading.keys) == 2483
    assert around.grading.behalves == {str(ADMIN_ID)}
    assert set(around.grading.users) == {None}
    first = around.exam.versions[str(version_id(job.id, 2))]
    assert first.content.text.startswith("Immanuel Kant")
    assert [option.text for option in first.content.options] == ["True", "False"]
    assert list(around.grading.keys[first.version_id].key.choice.correct) == ["A"]


async def test_nothing_of_the_file_stays_when_the_job_has_ended(imported: Upload, db: Database) -> None:
    await imported(xlsx(many_questions(3)))
    assert await count(db, "files") == await count(db, "failed_rows") == 0


async def test_reject_file_stores_nothing_and_lists_every_wrong_row(
    imported: Upload, around: World, db: Database
) -> None:
    job = await imported(xlsx(many_questions(5, bad=(1, 3))))
    assert (job.status, job.failure_code) == (Status.FAILED, "rows_invalid")
    assert "2 rows have errors, of 5" in job.failure_detail
    assert (job.total_rows, job.processed_rows, job.imported, job.skipped) == (5, 5, 0, 0)
    assert await faults_of(db, job) == [(3, "correct", "unknown_option"), (5, "correct", "unknown_option")]
    assert around.exam.calls == around.grading.calls == 0
    assert await count(db, "files") == 0


async def test_skip_rows_stores_the_good_ones(imported: Upload, around: World, db: Database) -> None:
    job = await imported(xlsx(many_questions(5, bad=(1, 3))), on_error=OnError.SKIP_ROWS)
    assert (job.status, job.imported, job.skipped, job.error_count) == (Status.COMPLETED, 3, 2, 2)
    assert job.processed_rows == job.total_rows == 5
    assert len(around.exam.versions) == 3


@pytest.mark.parametrize("on_error", list(OnError))
async def test_a_dry_run_leaves_nothing_but_the_errors(
    imported: Upload, around: World, db: Database, on_error: OnError
) -> None:
    job = await imported(xlsx(many_questions(5, bad=(4,))), dry_run=True, on_error=on_error)
    assert (job.status, job.total_rows, job.processed_rows, job.error_count) == (Status.COMPLETED, 5, 5, 1)
    assert await faults_of(db, job) == [(6, "correct", "unknown_option")]
    assert around.exam.calls == around.grading.calls == 0
    assert around.exam.versions == {}
    assert await count(db, "files") == 0


def counts(job: Job) -> tuple[int, int, int, int]:
    return job.imported, job.updated, job.skipped, job.error_count


@pytest.mark.parametrize("on_error", list(OnError))
@pytest.mark.parametrize("bad", [(), (4, 700)])
async def test_a_dry_run_counts_what_the_real_run_then_does(
    imported: Upload, around: World, on_error: OnError, bad: tuple[int, ...]
) -> None:
    await imported(xlsx(question_grid({"external_id": "q1", "question": "Known?"})))
    grid = many_questions(1100, bad=bad)
    for row, external_id in ((1, "q1"), (2, "q2"), (3, "q2"), (900, "q2"), (901, "q1")):
        grid[row][0] = external_id
    grid[10][grid[0].index("question")] = "Please reject this one?"
    dry = await imported(xlsx(grid), dry_run=True, on_error=on_error)
    real = await imported(xlsx(grid), on_error=on_error)
    assert counts(dry)[:3] == counts(real)[:3]
    assert dry.imported + dry.updated + dry.skipped == (
        0 if bad and on_error is OnError.REJECT_FILE else 1100
    )
    assert dry.updated == (0 if bad and on_error is OnError.REJECT_FILE else 4)


@pytest.mark.parametrize("on_error", list(OnError))
@pytest.mark.parametrize("teacher", [False, True])
async def test_a_dry_run_of_students_counts_who_is_there_already(
    imported: Upload, around: World, on_error: OnError, teacher: bool
) -> None:
    def people(number: int) -> list[list[str]]:
        return [list(USER_HEADER), *([f"s{n}@example.com", f"Student {n}", "", ""] for n in range(number))]

    await imported(xlsx(people(30)), kind=Kind.USERS)
    grid = people(150)
    if teacher:
        grid.append(["teacher@example.com", "Teacher", "", ""])
    dry = await imported(xlsx(grid), kind=Kind.USERS, dry_run=True, on_error=on_error)
    assert len(around.auth.students) == 30
    real = await imported(xlsx(grid), kind=Kind.USERS, on_error=on_error)
    assert counts(dry) == counts(real)
    stored = not teacher or on_error is OnError.SKIP_ROWS
    assert counts(dry) == (120 * stored, 30 * stored, teacher and stored, teacher)


async def test_a_dry_run_waits_for_the_bank(imported: Upload, around: World) -> None:
    around.exam.away = 2
    job = await imported(xlsx(many_questions(3)), dry_run=True)
    assert (job.status, job.imported) == (Status.COMPLETED, 3)


async def test_the_same_file_at_the_same_time_is_one_job(
    upload: Upload, runner: Runner, around: World, db: Database
) -> None:
    data = xlsx(many_questions(20))
    jobs = await asyncio.gather(*(upload(data, f"copy-{n}.xlsx") for n in range(8)))
    assert len({job.id for job in jobs}) == 1
    await runner.step()
    again = await upload(data)
    assert again.id == jobs[0].id
    assert again.status is Status.COMPLETED
    assert not await runner.step()
    assert len(around.exam.versions) == 20
    assert await count(db, "outbox") == 1


async def test_other_files_kinds_dry_runs_and_failures_are_jobs_of_their_own(
    upload: Upload, imported: Upload
) -> None:
    data, bad = xlsx(many_questions(2)), xlsx(many_questions(2, bad=(0,)))
    first = await imported(data)
    others = [
        await upload(data, on_error=OnError.SKIP_ROWS),
        await upload(data, kind=Kind.USERS),
        await upload(data, dry_run=True),
        await upload(data, dry_run=True),
        await imported(bad),
        await upload(bad),
    ]
    assert len({first.id, *(job.id for job in others)}) == 7


async def test_a_runner_that_dies_between_chunks_is_taken_over(
    upload: Upload, around: World, db: Database
) -> None:
    job = await upload(xlsx(many_questions(1700, bad=(700,))), on_error=OnError.SKIP_ROWS)
    died = asyncio.Event()
    around.exam.after = lambda calls: died.set() if calls == 2 else None

    class DeadRunner(Runner):
        """One whose process was killed: it gives nothing back."""

        async def _give_back(self, *_: object, **__: object) -> None:
            return

    dead = asyncio.create_task(DeadRunner(db, around.peers, Limits(), lease_seconds=0.6).step())
    await died.wait()
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    left = await job_of(db, job.id)
    # The second chunk is stored, but nobody counted it.
    assert (left.status, left.imported, left.done_through_row) == (Status.RUNNING, 500, 501)
    assert len(around.exam.versions) == 999

    heir = Runner(db, around.peers, Limits(), lease_seconds=30, poll_seconds=0.05)
    task = asyncio.create_task(heir.run())
    async with asyncio.timeout(20):
        while not (job := await job_of(db, job.id)).status.ended:
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (job.status, job.imported, job.updated, job.skipped) == (Status.COMPLETED, 1699, 0, 1)
    assert job.processed_rows == 1700
    assert len(around.exam.versions) == len(around.grading.keys) == 1699
    assert Counter(o.outcome for o in around.exam.outcomes.values()) == {"created": 1699}
    # Twice the second chunk, and none of the others.
    assert around.exam.calls == 5


async def test_a_runner_that_is_stopped_gives_the_job_back_at_once(
    upload: Upload, runner: Runner, around: World, db: Database
) -> None:
    job = await upload(xlsx(many_questions(10)))
    around.grading.gate = asyncio.Event()
    task = asyncio.create_task(runner.step())
    async with asyncio.timeout(20):
        while around.grading.calls == 0:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    around.grading.gate.set()
    assert (await job_of(db, job.id)).status is Status.RUNNING
    assert await runner.step()
    assert (await job_of(db, job.id)).imported == 10


async def test_services_that_are_away_are_waited_for(imported: Upload, around: World) -> None:
    around.grading.away, around.exam.away = 2, 1
    job = await imported(xlsx(many_questions(10)))
    assert (job.status, job.imported, job.skipped) == (Status.COMPLETED, 10, 0)


async def test_a_job_whose_services_stay_away_lets_others_go_first(
    upload: Upload, around: World, db: Database
) -> None:
    around.grading.away = 10**6
    job = await upload(xlsx(many_questions(10)))
    runner = Runner(db, around.peers, Limits(), patience_seconds=0.0, put_off_seconds=0.0)
    await runner.step()
    left = await job_of(db, job.id)
    assert (left.status, left.claims) == (Status.RUNNING, 0)
    around.grading.away = 0
    assert await runner.step()
    assert (await job_of(db, job.id)).imported == 10


async def test_a_lost_lease_changes_nothing(upload: Upload, db: Database) -> None:
    job = await upload(xlsx(many_questions(1)))
    async with db.transaction() as tx:
        claimed = await repository.claim(tx.conn, ADMIN_ID, 30, 60)
    assert claimed is not None
    assert claimed.id == job.id
    with pytest.raises(LeaseLost):
        async with db.transaction() as tx:
            await repository.finish(tx.conn, job.id, job.id)
    assert (await job_of(db, job.id)).status is Status.RUNNING
    assert await count(db, "files") == 1


async def test_work_ends_when_the_lease_went_to_another(upload: Upload, around: World, db: Database) -> None:
    job = await upload(xlsx(many_questions(10)))
    around.grading.gate = asyncio.Event()
    task = asyncio.create_task(Runner(db, around.peers, Limits(), lease_seconds=0.3).step())
    async with asyncio.timeout(20):
        while around.grading.calls == 0:
            await asyncio.sleep(0.01)
        async with db.transaction() as tx:
            await tx.conn.execute(sa.text("UPDATE jobs SET lease_owner = id"))
        assert await task
    around.grading.gate.set()
    left = await job_of(db, job.id)
    assert (left.status, left.imported) == (Status.RUNNING, 0)
    assert around.exam.calls == 0


async def test_rows_that_a_service_refuses_become_errors_and_cost_no_other(
    imported: Upload, around: World, db: Database
) -> None:
    grid = question_grid(
        *({"question": f"Question {n}?"} for n in range(30)),
        {"question": "Fine, but for its key?", "explanation": around.grading.refuse},
        {"question": "Please reject this one?"},
    )
    job = await imported(xlsx(grid))
    assert (job.status, job.imported, job.skipped) == (Status.COMPLETED, 30, 2)
    assert await faults_of(db, job) == [(32, "correct", "invalid"), (33, "question", "invalid")]


async def test_a_later_row_with_the_same_external_id_updates(imported: Upload, around: World) -> None:
    grid = question_grid(
        {"external_id": "q1", "question": "Old?"},
        {"external_id": "q2", "question": "Other?"},
        {"external_id": "q1", "question": "New?"},
    )
    job = await imported(xlsx(grid))
    assert (job.imported, job.updated) == (2, 1)
    again = await imported(xlsx(question_grid({"external_id": "q1", "question": "Newest?"})))
    assert (again.imported, again.updated) == (0, 1)
    assert around.exam.current[around.exam.by_external_id["q1"]] == 3


async def test_students_are_created_in_small_chunks(imported: Upload, around: World) -> None:
    people = [[f"s{n}@example.com", f"Student {n}", "10a; chess", ""] for n in range(250)]
    job = await imported(xlsx([list(USER_HEADER), *people]), "users.xlsx", kind=Kind.USERS)
    assert (job.status, job.imported) == (Status.COMPLETED, 250)
    assert around.auth.calls == [True] * 3 + [False] * 3
    row = around.auth.students["s0@example.com"]
    assert (row.name, list(row.groups), row.HasField("password")) == ("Student 0", ["10a", "chess"], False)


async def test_reject_file_asks_auth_before_it_creates_anyone(
    imported: Upload, around: World, db: Database
) -> None:
    people = [
        ["new@example.com", "New", "", ""],
        ["teacher@example.com", "Teacher", "", ""],
        ["weak@example.com", "Weak", "", "s3cret-pw"],
        ["new@example.com", "Again", "", ""],
    ]
    job = await imported(xlsx([list(USER_HEADER), *people]), "users.xlsx", kind=Kind.USERS)
    assert (job.status, job.failure_code) == (Status.FAILED, "rows_invalid")
    assert await faults_of(db, job) == [
        (3, "email", "not_a_student"),
        (4, "password", "invalid"),
        (5, "email", "duplicate_email"),
    ]
    assert around.auth.students == {}


async def test_passwords_are_nowhere_when_the_job_has_ended(imported: Upload, db: Database) -> None:
    secret = "s3cr-pw"
    people = [["weak@example.com", "Weak", "", secret, secret], ["bad", "Bad", "", secret, secret]]
    grid = [[*USER_HEADER, "Kennwort"], *people]
    job = await imported(xlsx(grid), "users.xlsx", kind=Kind.USERS, on_error=OnError.SKIP_ROWS)
    assert (job.imported, job.skipped) == (0, 2)
    async with db.reading() as conn:
        for table in ("jobs", "files", "failed_rows", "audit", "outbox"):
            rows = await conn.execute(sa.text(f"SELECT t::text FROM {table} t"))
            assert all(secret not in row[0] for row in rows)


async def test_every_job_is_in_the_audit_trail(imported: Upload, db: Database) -> None:
    await imported(xlsx(many_questions(2)))
    await imported(xlsx(many_questions(2, bad=(0,))))
    async with db.reading() as conn:
        rows = (
            await conn.execute(sa.text("SELECT action, actor_id, request_id FROM audit ORDER BY id"))
        ).all()
    assert [row.action for row in rows] == [
        "import.started",
        "import.completed",
        "import.started",
        "import.failed",
    ]
    assert {(row.actor_id, row.request_id) for row in rows} == {(str(ADMIN_ID), "request-1")}


async def test_failed_rows_are_forgotten_after_a_week(imported: Upload, db: Database) -> None:
    job = await imported(xlsx(many_questions(2, bad=(0,))))
    assert await forget_failed_rows(db) == 0
    async with db.transaction() as tx:
        await tx.conn.execute(sa.text("UPDATE jobs SET finished_at = now() - interval '8 days'"))
    assert await forget_failed_rows(db) == 1
    assert await faults_of(db, job) == []


async def test_a_job_that_keeps_failing_ends(upload: Upload, db: Database, around: World) -> None:
    job = await upload(xlsx(many_questions(2)))
    async with db.transaction() as tx:
        await tx.conn.execute(sa.text("UPDATE jobs SET claims = 9, format = 'nonsense'"))
    await Runner(db, around.peers, Limits()).step()
    ended = await job_of(db, job.id)
    assert (ended.status, ended.failure_code) == (Status.FAILED, "internal")
    assert await count(db, "files") == 0


async def test_a_job_whose_message_got_lost_begins_all_the_same(
    upload: Upload, runner: Runner, db: Database
) -> None:
    job = await upload(xlsx(many_questions(2)))
    async with db.transaction() as tx:
        await tx.conn.execute(sa.text("UPDATE jobs SET ready_at = NULL"))
    assert not await runner.step()
    async with db.transaction() as tx:
        await tx.conn.execute(sa.text("UPDATE jobs SET created_at = now() - interval '2 minutes'"))
    assert await runner.step()
    assert (await job_of(db, job.id)).status is Status.COMPLETED
