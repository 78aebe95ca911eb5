"""The tables of the auth schema, as the migrations make them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from examkit import shared_tables
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()
shared = shared_tables.define(metadata)


def _moment(name: str, *, nullable: bool = False, default: bool = False) -> sa.Column[datetime]:
    server_default = sa.func.clock_timestamp() if default else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default)


def _owner(*, primary: bool = False) -> sa.Column[UUID]:
    return sa.Column(
        "user_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, primary_key=primary
    )


users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    # The address in any case; collated by bytes, so that pages follow one order everywhere.
    sa.Column("email_key", sa.Text(collation="C"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("groups", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("token_version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
    _moment("created_at"),
    _moment("updated_at"),
    sa.UniqueConstraint("email_key", name="users_email_key_key"),
    sa.CheckConstraint("role IN ('admin', 'student', 'marker', 'invigilator')", name="users_role_check"),
    sa.CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="users_name_check"),
    sa.CheckConstraint("token_version >= 1", name="users_token_version_check"),
    sa.Index("users_groups_idx", "groups", postgresql_using="gin"),
)

credentials = sa.Table(
    "credentials",
    metadata,
    _owner(primary=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    _moment("changed_at"),
    sa.CheckConstraint("password_hash LIKE '$argon2id$%'", name="credentials_password_hash_check"),
)

password_links = sa.Table(
    "password_links",
    metadata,
    # One a person: a new link takes the place of the earlier one.
    _owner(primary=True),
    sa.Column("token_digest", sa.LargeBinary, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    sa.UniqueConstraint("token_digest", name="password_links_token_digest_key"),
)

login_failures = sa.Table(
    "login_failures",
    metadata,
    sa.Column("account", sa.LargeBinary, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    _moment("last_failed_at"),
    _moment("blocked_until", nullable=True),
    sa.PrimaryKeyConstraint("account", "address", name="login_failures_pkey"),
    sa.Index("login_failures_last_failed_at_idx", "last_failed_at"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _owner(),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
    _moment("started_at"),
    _moment("refreshed_at"),
    _moment("expires_at"),
    _moment("ends_at"),
    _moment("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text),
    sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="sessions_ended_check"),
    sa.CheckConstraint("expires_at <= ends_at", name="sessions_expiry_check"),
    sa.Index("sessions_user_id_idx", "user_id"),
    sa.Index("sessions_expires_at_idx", "expires_at"),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    _moment("issued_at"),
    _moment("expires_at"),
    _moment("used_at", nullable=True),
    # With the token itself and the server's secret it gives the successor, which is stored nowhere.
    sa.Column("nonce", sa.LargeBinary),
    sa.Column("successor_digest", sa.LargeBinary),
    sa.CheckConstraint(
        "(used_at IS NULL) = (nonce IS NULL) AND (used_at IS NULL) = (successor_digest IS NULL)",
        name="refresh_tokens_used_check",
    ),
    sa.Index("refresh_tokens_session_id_idx", "session_id"),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sealed_private_key", sa.LargeBinary, nullable=False),
    _moment("created_at"),
    _moment("signs_from"),
    sa.CheckConstraint("signs_from >= created_at", name="signing_keys_signs_from_check"),
)

revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("session_id", sa.Uuid),
    sa.Column("user_id", sa.Uuid),
    sa.Column("min_token_version", sa.BigInteger),
    sa.Column("code", sa.Text, nullable=False),
    # Postgres's own clock: the cursor of those who poll is made of it.
    _moment("written_at", default=True),
    _moment("expires_at"),
    sa.CheckConstraint("num_nonnulls(session_id, user_id) = 1", name="revocations_subject_check"),
    sa.CheckConstraint("(user_id IS NULL) = (min_token_version IS NULL)", name="revocations_version_check"),
    sa.CheckConstraint("code IN ('unauthenticated', 'token_expired')", name="revocations_code_check"),
    sa.Index("revocations_written_at_idx", "written_at"),
    sa.Index("revocations_expires_at_idx", "expires_at"),
)
