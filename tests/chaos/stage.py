"""Sets the stage of a run and reads its end: exams with windows, an ear for events, rows and queues."""

import asyncio
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import aio_pika
import psycopg
from aio_pika.exceptions import AMQPError
from examhall_local.rabbitmq import PrivateRabbit
from examkit.consumer import events_of
from psycopg.rows import kwargs_row

from tests.chaos.beside import Beside
from tests.chaos.ending import AnswerRow, AttemptRow, Ending, GradeRow, ItemRow, Window
from tests.chaos.history import now, seconds
from tests.harness.api import Admin, stamp
from tests.harness.system import System

Row = TypeVar("Row")

EXCHANGE = "examhall.events"
EAR = "chaos.graded"
"""A queue that keeps every AttemptGraded. Durable, and no part of the system."""

CONSUMED = ("grading.attempts", "grading.exams", "exam.grades", "import.jobs")
_SCHEMAS = ("auth", "exam", "grading", "import")
_ATTEMPTS = """
    SELECT a.id::text, a.student_id::text AS student, a.exam_id::text AS exam, a.status, a.version,
           extract(epoch FROM a.started_at)::float8 AS started_at,
           extract(epoch FROM a.deadline)::float8 AS deadline, a.grace_seconds::float8 AS grace,
           extract(epoch FROM a.closed_at)::float8 AS closed_at, a.announcements, a.graded_version
    FROM exam.student_exams AS a WHERE a.exam_id = ANY (%s::uuid[])
"""
_ANSWERS = """
    SELECT kept.student_exam_id::text AS attempt, kept.question_id::text AS question,
           kept.answer, kept.revision
    FROM exam.student_answers AS kept
         JOIN exam.student_exams AS a ON a.student_id = kept.student_id AND a.id = kept.student_exam_id
    WHERE a.exam_id = ANY (%s::uuid[])
"""
_GRADES = """
    SELECT student_exam_id::text AS attempt, attempt_version AS version, status, total,
           extract(epoch FROM graded_at)::float8 AS graded_at
    FROM grading.grades WHERE exam_id = ANY (%s::uuid[])
"""
_ITEMS = """
    SELECT student_exam_id::text AS attempt, question_id::text AS question, score, shown
    FROM grading.grade_items WHERE exam_id = ANY (%s::uuid[])
"""
_UNSETTLED = """
    SELECT count(*) FROM exam.student_exams
    WHERE exam_id = ANY (%s::uuid[]) AND (closed_at IS NULL OR graded_version <> version)
"""


class Stage:
    """The exams of one run, and what is left at its end."""

    def __init__(self, system: System, beside: Beside, admin: Admin) -> None:
        self._system = system
        self._beside = beside
        self._admin = admin
        self._consumers: dict[str, int] = {}
        self.windows: list[Window] = []

    async def make_exams(self, question_ids: Sequence[str], lasts: float, seed: int) -> None:
        """Exams of different lengths, two at a time, until `lasts` seconds from when they are made."""
        chance = random.Random(seed)
        until = now() + lasts
        for _track in range(2):
            opens = now()
            while opens < until - 5:
                ends = min(opens + chance.uniform(10, 75), until)
                self.windows.append(await self._exam(question_ids, opens, ends, chance.choice((0, 1, 3))))
                opens = ends - 3
        await self._listen()

    async def _exam(self, question_ids: Sequence[str], opens: float, ends: float, grace: int) -> Window:
        exam = await self._admin.exam(
            question_ids,
            title="Chaos",
            start_time=_moment(opens),
            end_time=_moment(ends),
            duration_minutes=1,
            grace_seconds=grace,
            max_attempts=100,
        )
        found = await self._admin.ok("GET", f"/admin/exams/{exam}")
        return Window(exam=exam, opens=opens, ends=seconds(found["end_time"]), duration=60.0)

    async def _listen(self) -> None:
        async with await aio_pika.connect(self._url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(EAR, durable=True)
            await queue.bind(EXCHANGE, "examhall.grading.attempt.graded.v1")
        self._consumers = await self._count_consumers()

    async def _count_consumers(self) -> dict[str, int]:
        """How many there are of each queue."""
        counts = {}
        async with await aio_pika.connect(self._url) as connection:
            channel = await connection.channel()
            for name in CONSUMED:
                queue = await channel.declare_queue(name, passive=True)
                counts[name] = queue.declaration_result.consumer_count or 0
        return counts

    @property
    def _url(self) -> str:
        url: str = self._system.state()["rabbitmq"]["url"]
        return url

    async def settled(self, within: float) -> bool:
        """Wait until every attempt is closed and graded and nothing is under way; False if it never is."""
        until = now() + within
        while now() < until:
            try:
                is_at_rest = await asyncio.to_thread(self._is_at_rest)
                if is_at_rest and await self._count_consumers() == self._consumers:
                    return True
            except (psycopg.OperationalError, AMQPError, OSError):
                pass
            await asyncio.sleep(0.2)
        return False

    def _is_at_rest(self) -> bool:
        with self._connect() as connection:
            row = connection.execute(_UNSETTLED, [self._exams]).fetchone()
            left = int(row[0] if row else 0) + sum(_outboxes(connection).values())
        return not left and not self._not_ready()

    def _not_ready(self) -> list[str]:
        return [*self._system.not_ready(), *self._beside.not_ready()]

    @property
    def _exams(self) -> list[str]:
        return [window.exam for window in self.windows]

    def _connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self._system.state()["postgres"]["dsn"], connect_timeout=3)

    async def ending(self, settled_in: float | None) -> Ending:
        """Everything as it is now. The ear is taken away."""
        ending = Ending(windows=self.windows, settled_in=settled_in)
        await asyncio.to_thread(self._read_rows, ending)
        ending.graded = await self._heard()
        ending.queues = await asyncio.to_thread(self._queues)
        ending.not_ready = await asyncio.to_thread(self._not_ready)
        now_there = await self._count_consumers()
        ending.consumers = {name: (count, now_there[name]) for name, count in self._consumers.items()}
        return ending

    def _read_rows(self, ending: Ending) -> None:
        with self._connect() as connection:
            ending.attempts = _rows(connection, AttemptRow, _ATTEMPTS, self._exams)
            ending.answers = _rows(connection, AnswerRow, _ANSWERS, self._exams)
            ending.grades = _rows(connection, GradeRow, _GRADES, self._exams)
            ending.items = _rows(connection, ItemRow, _ITEMS, self._exams)
            ending.outboxes = _outboxes(connection)

    async def _heard(self) -> list[tuple[str, str]]:
        heard: list[tuple[str, str]] = []
        async with await aio_pika.connect(self._url) as connection:
            queue = await (await connection.channel()).get_queue(EAR)
            while (message := await queue.get(fail=False, no_ack=True)) is not None:
                heard += [(one.delivery.subject, one.delivery.id) for one in events_of(message)]
            await queue.delete()
        return heard

    def _queues(self) -> dict[str, int]:
        """Messages that wait or are being worked on, by queue."""
        words = ("list_queues", "--vhost", "examhall", "--formatter", "json", "name", "messages")
        done = PrivateRabbit(self._system.state_dir).control(*words)
        assert done.returncode == 0, done.stderr
        return {queue["name"]: queue["messages"] for queue in json.loads(done.stdout)}


def _rows(connection: "psycopg.Connection[Any]", kind: type[Row], query: str, exams: list[str]) -> list[Row]:
    with connection.cursor(row_factory=kwargs_row(kind)) as cursor:
        return cursor.execute(query, [exams]).fetchall()


def _outboxes(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    counts = {}
    for schema in _SCHEMAS:
        row = connection.execute(f'SELECT count(*) FROM "{schema}".outbox').fetchone()
        counts[schema] = int(row[0]) if row else 0
    return counts


def _moment(at: float) -> str:
    return stamp(datetime.fromtimestamp(at, UTC))
