"""One look at an exam for all who watch it: what changed is read once, and each is told of it."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from examkit.errors import AppError
from examkit.rpc.client import call
from examkit.rpc.context import acting
from examprotos.auth.v1 import user_admin_pb2
from examprotos.exam.v1 import authoring_pb2, invigilation_pb2

from exam_gateway import metrics
from exam_gateway.staff.monitor_shapes import STATUSES, Row, row
from exam_gateway.staff.names import NOBODY, Person, people
from exam_gateway.wire import stamp, text_of, when

if TYPE_CHECKING:
    from exam_gateway.staff.backend import StaffBackend

LOOK_SECONDS = 2.0
ALL_EVERY = 5
"""Looks at what changed, then one at everything: what the clock alone changes, and what came in late."""
ROSTER_EVERY = 30
OVERLAP = timedelta(seconds=3)
"""What is committed late began before it was looked for."""
CALL_SECONDS = 5.0
LINGER_SECONDS = 5.0
"""How long an exam is looked at when the last who watched has left: they may be back at once."""

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Watcher:
    """One who watches. What is new to them is a set of attempts: it can't outgrow the exam, however slow
    they are.
    """

    token: str
    new: set[str] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, attempts: Iterable[str]) -> None:
        self.new.update(attempts)
        self.woken.set()

    def forget(self) -> None:
        """What was told so far is in the snapshot that comes first."""
        self.new.clear()
        self.woken.clear()

    async def news(self) -> set[str]:
        """The attempts that changed since the last time, once there is anything to tell."""
        await self.woken.wait()
        self.woken.clear()
        new, self.new = self.new, set()
        return new


class Watch:
    """What is known of an exam while somebody watches it."""

    def __init__(self, staff: StaffBackend, exam_id: str) -> None:
        self.watchers: dict[Watcher, None] = {}
        self._staff = staff
        self._exam_id = exam_id
        self._token = ""
        self._rows: dict[str, Row] = {}
        self._names: dict[str, Person] = {}
        self._roster: int | None = None
        self._counts: dict[str, int | None] = {}
        self._read_at: datetime | None = None
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Whoever waited for it may have gone.
        self._first.add_done_callback(lambda first: first.cancelled() or first.exception())
        # Its own context: what the request that began it may do ends with that request.
        self._task = asyncio.create_task(self._run(), context=contextvars.Context())

    @property
    def failed(self) -> bool:
        return self._task.done()

    def join(self, watcher: Watcher) -> None:
        self.watchers[watcher] = None
        self._token = watcher.token

    async def ready(self) -> None:
        """Until there is something to show. Raises what the first look raised."""
        await asyncio.shield(self._first)

    def stop(self) -> None:
        self._task.cancel()
        self._first.cancel()

    def snapshot(self, keep: Any = None) -> bytes:
        """JSON of the exam as of the last look; `keep` tells which students' rows are wanted."""
        rows = [one for one in self._rows.values() if keep is None or keep(one)]
        return self._told(rows)

    def changes(self, attempts: Iterable[str]) -> bytes:
        """JSON of these attempts and the counts."""
        return self._told([self._rows[attempt] for attempt in attempts])

    def _told(self, rows: list[Row]) -> bytes:
        now = self._read_at
        assert now is not None
        return msgspec.json.encode(
            {
                "exam_id": self._exam_id,
                "server_time": text_of(stamp(now)),  # type: ignore[arg-type]  # never None
                "counts": self._counts,
                "students": [one.told(now) for one in rows],
            }
        )

    async def _run(self) -> None:
        looks = 0
        while True:
            try:
                await self._look(looks)
            except AppError as error:
                if not self._first.done():
                    self._first.set_exception(error)
                    return
                # They see how old it is by server_time. Whose token has ended leaves by themselves.
                log.info("monitor_not_read", code=error.code)
            else:
                looks += 1
                if not self._first.done():
                    self._first.set_result(None)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, looks: int) -> None:
        self._token = next((watcher.token for watcher in self.watchers), self._token)
        with acting(token=self._token, timeout=60.0):
            if looks % ROSTER_EVERY == 0:
                self._roster = await self._roster_size()
            changed = await self._read(everything=looks % ALL_EVERY == 0)
            changed |= await self._join_names()
        metrics.monitor_looks.inc()
        counts = self._count()
        if not changed and counts == self._counts:
            return
        self._counts = counts
        for watcher in self.watchers:
            watcher.tell(changed)

    async def _read(self, *, everything: bool) -> set[str]:
        """Take in a page after the other; the attempts that are not as they were."""
        request = invigilation_pb2.ListProgressRequest(exam_id=self._exam_id)
        if not everything and self._read_at is not None:
            request.since.CopyFrom(stamp(self._read_at - OVERLAP))  # type: ignore[arg-type]  # never None
        changed = set()
        read_at = None
        while True:
            found = await call(
                self._staff.invigilation.ListProgress, request, timeout=CALL_SECONDS, idempotent=True
            )
            read_at = read_at or when(found.server_time)
            for item in found.items:
                now = row(item, self._names.get(item.student_id, NOBODY))
                if self._rows.get(item.student_exam_id) != now:
                    self._rows[item.student_exam_id] = now
                    changed.add(item.student_exam_id)
            if not found.next_after:
                self._read_at = read_at
                return changed
            request.after = found.next_after

    async def _join_names(self) -> set[str]:
        """Ask for the names that are not known yet, those too for which auth was away; whose came."""
        nameless = {attempt for attempt, one in self._rows.items() if one.email is None}
        unknown = {self._rows[attempt].student_id for attempt in nameless} - self._names.keys()
        if unknown:
            self._names |= await people(self._staff, unknown)
        named = {attempt for attempt in nameless if self._rows[attempt].student_id in self._names}
        for attempt in named:
            one = self._rows[attempt]
            self._rows[attempt] = one.named(self._names[one.student_id])
        return named

    async def _roster_size(self) -> int | None:
        """How many may sit it; None while auth is away."""
        request = authoring_pb2.GetExamRequest(id=self._exam_id)
        exam = await call(self._staff.authoring.GetExam, request, timeout=CALL_SECONDS, idempotent=True)
        roster = exam.roster
        wanted = user_admin_pb2.CountStudentsRequest(
            all=roster.all, groups=roster.groups, ids=roster.student_ids
        )
        try:
            found = await call(self._staff.users.CountStudents, wanted, timeout=CALL_SECONDS, idempotent=True)
        except AppError as error:
            log.info("roster_not_counted", code=error.code)
            return self._roster
        return found.count

    def _count(self) -> dict[str, int | None]:
        by_status = Counter(one.status for one in self._rows.values())
        began = {one.student_id for one in self._rows.values() if one.status != "void"}
        waiting = None if self._roster is None else max(0, self._roster - len(began))
        return {
            "roster": self._roster,
            "not_started": waiting,
            **{status: by_status[status] for status in STATUSES},
            "flagged": sum(bool(one.flags) for one in self._rows.values()),
            "quiet": sum(one.quiet for one in self._rows.values()),
        }


class Watches:
    """The exams that are watched in this process."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}

    @asynccontextmanager
    async def watching(
        self, staff: StaffBackend, exam_id: str, token: str
    ) -> AsyncIterator[tuple[Watch, Watcher]]:
        """Join those who watch this exam; the last who leaves ends the looking. Raises what a look raises."""
        watch = self._watches.get(exam_id)
        if watch is None or watch.failed:
            watch = self._watches[exam_id] = Watch(staff, exam_id)
        watcher = Watcher(token)
        watch.join(watcher)
        try:
            await watch.ready()
            watcher.forget()
            yield watch, watcher
        finally:
            del watch.watchers[watcher]
            if not watch.watchers:
                asyncio.get_running_loop().call_later(LINGER_SECONDS, self._end, exam_id, watch)

    def _end(self, exam_id: str, watch: Watch) -> None:
        if watch.watchers:
            return
        watch.stop()
        if self._watches.get(exam_id) is watch:
            del self._watches[exam_id]
