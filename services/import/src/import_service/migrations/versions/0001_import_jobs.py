"""Jobs, their files, the rows that failed, and the tables that every service has."""

import sqlalchemy as sa
from alembic import op
from examkit.migrate import create_shared_tables
from sqlalchemy.dialects import postgresql as pg

revision = "0001"
down_revision = None
step = "pre"


def _moment(name: str, *, nullable: bool = True, default: bool = False) -> "sa.Column[object]":
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        server_default=sa.func.now() if default else None,
    )


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def upgrade() -> None:
    create_shared_tables(op)
    _create_jobs()
    _create_indexes()
    op.create_table(
        "files",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="files_pkey"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="files_job_id_fkey"),
    )
    # Workbooks are compressed already, and uncompressed values can be read slice by slice.
    op.execute("ALTER TABLE files ALTER COLUMN data SET STORAGE EXTERNAL")
    op.create_table(
        "failed_rows",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("cells", pg.JSONB, nullable=False),
        sa.Column("faults", pg.JSONB, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "row", name="failed_rows_pkey"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="failed_rows_job_id_fkey"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("on_error", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="queued"),
        sa.Column("phase", sa.Text, nullable=False, server_default="checking"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        _count("total_rows"),
        _count("processed_rows"),
        _count("imported"),
        _count("updated"),
        _count("skipped"),
        _count("error_count"),
        _count("done_through_row"),
        sa.Column("header", pg.JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("failure_code", sa.Text, nullable=False, server_default=""),
        sa.Column("failure_detail", sa.Text, nullable=False, server_default=""),
        sa.Column("created_by", sa.Uuid, nullable=False),
        sa.Column("request_id", sa.Text),
        _moment("created_at", nullable=False, default=True),
        _moment("ready_at"),
        _moment("started_at"),
        _moment("finished_at"),
        sa.Column("lease_owner", sa.Uuid),
        _moment("lease_until"),
        _count("claims"),
        _moment("not_before"),
        sa.PrimaryKeyConstraint("id", name="jobs_pkey"),
        *_job_checks(),
    )


def _job_checks() -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint("kind IN ('questions', 'users')", name="jobs_kind_check"),
        sa.CheckConstraint("on_error IN ('reject_file', 'skip_rows')", name="jobs_on_error_check"),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'completed', 'failed')", name="jobs_status_check"
        ),
        sa.CheckConstraint("phase IN ('checking', 'storing')", name="jobs_phase_check"),
        sa.CheckConstraint(
            "(status IN ('completed', 'failed')) = (finished_at IS NOT NULL)", name="jobs_finished_check"
        ),
        sa.CheckConstraint("(status = 'failed') = (failure_code <> '')", name="jobs_failure_check"),
        sa.CheckConstraint("octet_length(sha256) = 32", name="jobs_sha256_check"),
    ]


def _create_indexes() -> None:
    op.create_index(
        "jobs_same_file_idx",
        "jobs",
        ["sha256", "kind", "on_error"],
        unique=True,
        postgresql_where=sa.text("NOT dry_run AND status <> 'failed'"),
    )
    op.create_index("jobs_newest_idx", "jobs", ["created_at", "id"])
    op.create_index(
        "jobs_open_idx",
        "jobs",
        ["created_at"],
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
