"""Jobs when the services around break, refuse or stay away: no job stays for good, and no upload with it."""

import itertools
from datetime import timedelta

import pytest
import sqlalchemy as sa
from examkit.clock import utc_now
from examkit.db import Database
from examkit.errors import AppError, forbidden, internal, rate_limited
from examkit.ids import uuid7
from examprotos.grading.v1 import keys_pb2
from import_service.domain.columns import Kind
from import_service.domain.job import OnError, Status
from import_service.parser.limits import Limits
from import_service.peers import MAX_REQUEST_BYTES
from import_service.runner import MAX_CLAIMS, Runner
from import_service.usecases.storing import MOST_BROKEN

from .conftest import Upload, faults_of, job_of
from .fakes import ADMIN_ID, World
from .makers import USER_HEADER, many_questions, question_grid, xlsx


def impatient(db: Database, around: World, *, later: timedelta = timedelta()) -> Runner:
    """A runner that puts off at once, and is called again at once."""
    return Runner(
        db,
        around.peers,
        Limits(),
        patience_seconds=0.0,
        put_off_seconds=0.0,
        clock=lambda: utc_now() + later,
    )


async def files(db: Database) -> int:
    async with db.reading() as conn:
        return int((await conn.execute(sa.text("SELECT count(*) FROM files"))).scalar_one())


async def test_a_row_that_breaks_a_service_becomes_an_error_and_costs_no_other(
    imported: Upload, around: World, db: Database
) -> None:
    grid = question_grid(*({"question": f"Question {n}?"} for n in range(600)))
    place = grid[0].index("question")
    grid[123][place] = "Does this break exam?"
    job = await imported(xlsx(grid))
    assert (job.status, job.imported, job.skipped) == (Status.COMPLETED, 599, 1)
    assert await faults_of(db, job) == [(124, "", "internal")]
    assert len(around.exam.versions) == 599
    assert around.exam.calls < 30
    assert await files(db) == 0


async def test_a_single_row_that_breaks_a_service_is_not_tried_for_ever(
    imported: Upload, db: Database
) -> None:
    job = await imported(xlsx(question_grid({"question": "Does this break exam?"})))
    assert (job.status, job.imported, job.skipped) == (Status.COMPLETED, 0, 1)
    assert await faults_of(db, job) == [(2, "", "internal")]
    assert await files(db) == 0


@pytest.mark.parametrize("error", [forbidden(), internal()])
async def test_what_is_no_rows_fault_fails_the_job_after_some_goes(
    upload: Upload, around: World, db: Database, error: AppError
) -> None:
    around.exam.failures = itertools.repeat(error)
    job = await upload(xlsx(many_questions(40)))
    runner = impatient(db, around)
    await runner.step()
    left = await job_of(db, job.id)
    # Reading the file was progress: the count begins with the next go.
    assert (left.status, left.phase, left.claims, await files(db)) == (Status.RUNNING, "storing", 0, 1)
    for claims in (1, MAX_CLAIMS):
        async with db.transaction() as tx:
            values = {"before": claims - 1}
            await tx.conn.execute(sa.text("UPDATE jobs SET not_before = NULL, claims = :before"), values)
        assert await runner.step()
        left = await job_of(db, job.id)
        assert (left.claims, left.imported) == (claims, 0)
    assert (left.status, left.failure_code) == (Status.FAILED, "internal")
    assert around.exam.calls <= 3 * 3 * MOST_BROKEN
    assert await faults_of(db, job) == []
    assert await files(db) == 0


async def test_one_who_dies_with_the_job_each_time_does_not_keep_it_alive(
    upload: Upload, around: World, db: Database
) -> None:
    job = await upload(xlsx(many_questions(2)))
    async with db.transaction() as tx:
        await tx.conn.execute(sa.text("UPDATE jobs SET claims = :n"), {"n": MAX_CLAIMS})
    await impatient(db, around).step()
    ended = await job_of(db, job.id)
    assert (ended.status, ended.failure_code) == (Status.FAILED, "internal")
    assert await files(db) == 0


async def test_a_service_that_is_busy_is_waited_for(imported: Upload, around: World) -> None:
    around.exam.failures = iter([rate_limited("Too many.", 0.1)])
    job = await imported(xlsx(many_questions(3)))
    assert (job.status, job.imported) == (Status.COMPLETED, 3)


async def test_a_job_that_waits_in_vain_ends_after_a_day_and_its_file_goes(
    upload: Upload, around: World, db: Database
) -> None:
    around.exam.away = 10**6
    job = await upload(xlsx(many_questions(3)))
    await impatient(db, around, later=timedelta(hours=23)).step()
    left = await job_of(db, job.id)
    assert (left.status, left.claims, await files(db)) == (Status.RUNNING, 0, 1)
    await impatient(db, around, later=timedelta(hours=25)).step()
    ended = await job_of(db, job.id)
    assert (ended.status, ended.failure_code) == (Status.FAILED, "unavailable")
    assert ended.failure_detail
    assert await files(db) == 0


async def test_an_old_job_is_done_where_it_can_be(upload: Upload, around: World, db: Database) -> None:
    job = await upload(xlsx(many_questions(3)))
    await impatient(db, around, later=timedelta(days=3)).step()
    assert (await job_of(db, job.id)).status is Status.COMPLETED


async def test_rows_too_large_to_travel_together_travel_apart(around: World) -> None:
    explanation = "x" * (MAX_REQUEST_BYTES // 2)
    keys = [
        keys_pb2.VersionKey(version_id=str(uuid7()), key=keys_pb2.AnswerKey(explanation=explanation))
        for _ in range(2)
    ]
    with pytest.raises(AppError) as refused:
        await around.peers.put_keys(keys, ADMIN_ID)
    assert refused.value.code == "too_large"
    await around.peers.put_keys(keys[:1], ADMIN_ID)
    assert around.grading.calls == 1


async def test_students_that_break_auth_are_found_too(imported: Upload, around: World, db: Database) -> None:
    people = [[f"s{n}@example.com", f"Student {n}", "", ""] for n in range(20)]
    around.auth.ill = "s7@example.com"
    job = await imported(
        xlsx([list(USER_HEADER), *people]), "users.xlsx", kind=Kind.USERS, on_error=OnError.SKIP_ROWS
    )
    assert (job.status, job.imported, job.skipped) == (Status.COMPLETED, 19, 1)
    assert await faults_of(db, job) == [(9, "", "internal")]
