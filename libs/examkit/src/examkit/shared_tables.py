"""The tables that every service's schema has: outbox, inbox and audit, defined once."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


@dataclass(frozen=True)
class SharedTables:
    outbox: sa.Table
    inbox: sa.Table
    audit: sa.Table


def define(metadata: sa.MetaData) -> SharedTables:
    """Declare the three tables in a service's metadata. They live in the schema of the search path."""
    return SharedTables(outbox=_outbox(metadata), inbox=_inbox(metadata), audit=_audit(metadata))


def _outbox(metadata: sa.MetaData) -> sa.Table:
    """Events that are committed and not yet confirmed by the broker, in the order they were written."""
    return sa.Table(
        "outbox",
        metadata,
        sa.Column("position", sa.BigInteger, sa.Identity(always=True)),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column(
            "written_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
        ),
        sa.PrimaryKeyConstraint("position", name="outbox_pkey"),
    )


def _inbox(metadata: sa.MetaData) -> sa.Table:
    """Events that a consumer has applied; the key makes a second delivery change nothing."""
    return sa.Table(
        "inbox",
        metadata,
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="inbox_pkey"),
        sa.Index("inbox_received_at_idx", "received_at"),
    )


def _audit(metadata: sa.MetaData) -> sa.Table:
    """Who did what, when, to what, why. The serving role may add rows and read them, nothing else."""
    table = sa.Table(
        "audit",
        metadata,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("actor_id", sa.Text),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("before", pg.JSONB(none_as_null=True)),
        sa.Column("after", pg.JSONB(none_as_null=True)),
        sa.Column("reason", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
        sa.CheckConstraint("actor_kind IN ('user', 'service')", name="audit_actor_kind_check"),
    )
    sa.Index("audit_at_idx", table.c.at, table.c.id)
    sa.Index("audit_object_idx", table.c.object_type, table.c.object_id, table.c.at)
    return table
