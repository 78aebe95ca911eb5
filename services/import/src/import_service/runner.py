"""The worker that runs jobs: one at a time, taken from the table and kept by a lease that is renewed."""

import asyncio
import contextlib
from datetime import timedelta

import structlog
from examkit.clock import Clock, utc_now
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7

from import_service import metrics, repository
from import_service.domain.refusal import AWAY, INTERNAL
from import_service.parser.limits import Limits
from import_service.peers import Peers
from import_service.repository import Job, LeaseLost
from import_service.usecases.run_job import JobRun, PutOff

POLL_SECONDS = 0.5
UNANNOUNCED_SECONDS = 60.0
PUT_OFF_SECONDS = 15.0
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 5.0
MAX_CLAIMS = 10
"""So often in a row may a job fail without getting on."""
MOST_AGE = timedelta(hours=24)
"""A job that is older and can't get on ends, so that no upload stays for good."""

_FAULT = (
    INTERNAL,
    "The import stopped by a fault of ours; rows counted as imported are stored."
    " Tell the administrators, then try again.",
)
_WAITED_TOO_LONG = (
    AWAY,
    "A service that the import needs was away for a day; rows counted as imported are stored. Try again.",
)

log = structlog.get_logger(__name__)


class Runner:
    """A worker; several, in one process or in many, share the jobs. One that dies loses its lease in time."""

    name = "import-runner"

    def __init__(
        self,
        db: Database,
        peers: Peers,
        limits: Limits,
        *,
        lease_seconds: float = 30.0,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        put_off_seconds: float = PUT_OFF_SECONDS,
        clock: Clock = utc_now,
    ) -> None:
        self._db = db
        self._peers = peers
        self._limits = limits
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._patience_seconds = patience_seconds
        self._put_off_seconds = put_off_seconds
        self._clock = clock

    async def run(self) -> None:
        """Run jobs until cancelled. A cancelled job is given back, and goes on elsewhere at once."""
        while True:
            worked = False
            try:
                worked = await self.step()
            except AppError as error:
                log.warning("import_runner_waits", code=error.code)
            if not worked:
                await asyncio.sleep(self._poll_seconds)

    async def step(self) -> bool:
        """Take a job and work on it; False where there was none."""
        owner = uuid7()
        async with self._db.transaction() as tx:
            job = await repository.claim(tx.conn, owner, self._lease_seconds, UNANNOUNCED_SECONDS)
        if job is None:
            return False
        run = JobRun(self._db, self._peers, self._limits, job, owner, patience_seconds=self._patience_seconds)
        if job.claims > MAX_CLAIMS:  # whoever had it before did not live to say so
            await self._end(run, _FAULT)
            return True
        metrics.running.inc()
        try:
            await self._supervised(run, job)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(run, job, 0.0))
            raise
        except LeaseLost:
            log.warning("import_lease_lost", job_id=str(job.id))
        except PutOff:
            await self._put_off(run, job)
        except Exception:
            log.exception("import_failed_unexpectedly", job_id=str(job.id))
            await self._try_later(run, job)
        finally:
            metrics.running.dec()
        return True

    async def _supervised(self, run: JobRun, job: Job) -> None:
        """Work beside a heartbeat; where the lease is lost, the work ends too."""
        try:
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(self._keep(run, job))
                await run.run()
                beat.cancel()
        except* LeaseLost:
            raise LeaseLost from None
        except* Exception as several:
            raise several.exceptions[0] from None

    async def _keep(self, run: JobRun, job: Job) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            # Without Postgres the lease runs out by itself; the work will notice at its next write.
            with contextlib.suppress(AppError):
                async with self._db.transaction() as tx:
                    await repository.renew(tx.conn, job.id, run.owner, self._lease_seconds)

    async def _give_back(self, run: JobRun, job: Job, pause_seconds: float, *, got_on: bool = False) -> None:
        with contextlib.suppress(AppError, LeaseLost):
            async with self._db.transaction() as tx:
                await repository.release(tx.conn, job.id, run.owner, pause_seconds, got_on=got_on)

    async def _put_off(self, run: JobRun, job: Job) -> None:
        """A job that waits has not failed: what it was claimed for so far doesn't count."""
        if self._too_old(job):
            await self._end(run, _WAITED_TOO_LONG)
            return
        metrics.deferrals.labels(job.kind).inc()
        await self._give_back(run, job, self._put_off_seconds, got_on=True)

    async def _try_later(self, run: JobRun, job: Job) -> None:
        if job.claims >= MAX_CLAIMS or self._too_old(job):
            await self._end(run, _FAULT)
            return
        await self._give_back(run, job, RETRY_SECONDS * job.claims)

    def _too_old(self, job: Job) -> bool:
        return self._clock() - job.created_at > MOST_AGE

    async def _end(self, run: JobRun, failure: tuple[str, str]) -> None:
        with contextlib.suppress(AppError, LeaseLost):
            await run.fail(*failure)
