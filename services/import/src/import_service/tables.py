"""The import schema: jobs, the file of each while it is needed, and the rows that failed."""

import sqlalchemy as sa
from examkit import shared_tables
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()
SHARED = shared_tables.define(metadata)


def _moment(name: str, *, nullable: bool = True, default: bool = False) -> "sa.Column[object]":
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        server_default=sa.func.now() if default else None,
    )


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("dry_run", sa.Boolean, nullable=False),
    sa.Column("on_error", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="queued"),
    sa.Column("phase", sa.Text, nullable=False, server_default="checking"),
    # Grows with everything a client can see, so that watchers know when to look again.
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    _count("total_rows"),
    _count("processed_rows"),
    _count("imported"),
    _count("updated"),
    _count("skipped"),
    _count("error_count"),
    # The number of the last row that is stored: a job taken up again goes on behind it.
    _count("done_through_row"),
    sa.Column("header", pg.JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.Column("failure_code", sa.Text, nullable=False, server_default=""),
    sa.Column("failure_detail", sa.Text, nullable=False, server_default=""),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("request_id", sa.Text),
    _moment("created_at", nullable=False, default=True),
    # Set by the message from the queue, which lets the job begin.
    _moment("ready_at"),
    _moment("started_at"),
    _moment("finished_at"),
    sa.Column("lease_owner", sa.Uuid),
    _moment("lease_until"),
    # Claims since the job last got on; not before `not_before` is it claimed again.
    _count("claims"),
    _moment("not_before"),
    sa.PrimaryKeyConstraint("id", name="jobs_pkey"),
    sa.CheckConstraint("kind IN ('questions', 'users')", name="jobs_kind_check"),
    sa.CheckConstraint("on_error IN ('reject_file', 'skip_rows')", name="jobs_on_error_check"),
    sa.CheckConstraint("status IN ('queued', 'running', 'completed', 'failed')", name="jobs_status_check"),
    sa.CheckConstraint("phase IN ('checking', 'storing')", name="jobs_phase_check"),
    sa.CheckConstraint(
        "(status IN ('completed', 'failed')) = (finished_at IS NOT NULL)", name="jobs_finished_check"
    ),
    sa.CheckConstraint("(status = 'failed') = (failure_code <> '')", name="jobs_failure_check"),
    sa.CheckConstraint("octet_length(sha256) = 32", name="jobs_sha256_check"),
)
# The same file once: as long as it waits, runs or was imported.
sa.Index(
    "jobs_same_file_idx",
    jobs.c.sha256,
    jobs.c.kind,
    jobs.c.on_error,
    unique=True,
    postgresql_where=sa.text("NOT dry_run AND status <> 'failed'"),
)
sa.Index("jobs_newest_idx", jobs.c.created_at, jobs.c.id)
sa.Index("jobs_open_idx", jobs.c.created_at, postgresql_where=sa.text("status IN ('queued', 'running')"))

files = sa.Table(
    "files",
    metadata,
    sa.Column("job_id", sa.Uuid, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("job_id", name="files_pkey"),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="files_job_id_fkey"),
)

failed_rows = sa.Table(
    "failed_rows",
    metadata,
    sa.Column("job_id", sa.Uuid, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    # As typed, without passwords.
    sa.Column("cells", pg.JSONB, nullable=False),
    # [[column, code, message], …]
    sa.Column("faults", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("job_id", "row", name="failed_rows_pkey"),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="failed_rows_job_id_fkey"),
)
