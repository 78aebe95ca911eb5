"""Accounts, credentials, sessions, signing keys, revocations, login throttling."""

from __future__ import annotations

from alembic import op
from examkit.migrate import create_shared_tables

revision = "0001"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        email_key text COLLATE "C" NOT NULL,
        name text NOT NULL,
        role text NOT NULL,
        groups text[] NOT NULL DEFAULT '{}',
        active boolean NOT NULL DEFAULT true,
        token_version bigint NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT users_email_key_key UNIQUE (email_key),
        CONSTRAINT users_role_check CHECK (role IN ('admin', 'student')),
        CONSTRAINT users_name_check CHECK (char_length(name) BETWEEN 1 AND 200),
        CONSTRAINT users_token_version_check CHECK (token_version >= 1)
    )
    """,
    "CREATE INDEX users_groups_idx ON users USING gin (groups)",
    """
    CREATE TABLE credentials (
        user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        password_hash text NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT credentials_password_hash_check CHECK (password_hash LIKE '$argon2id$%')
    )
    """,
    """
    CREATE TABLE password_links (
        user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        token_digest bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT password_links_token_digest_key UNIQUE (token_digest)
    )
    """,
    """
    CREATE TABLE login_failures (
        account bytea NOT NULL,
        address text NOT NULL,
        failures integer NOT NULL,
        last_failed_at timestamptz NOT NULL,
        blocked_until timestamptz,
        PRIMARY KEY (account, address)
    )
    """,
    "CREATE INDEX login_failures_last_failed_at_idx ON login_failures (last_failed_at)",
    """
    CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        user_agent text NOT NULL DEFAULT '',
        started_at timestamptz NOT NULL,
        refreshed_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        ended_at timestamptz,
        end_reason text,
        CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
        CONSTRAINT sessions_expiry_check CHECK (expires_at <= ends_at)
    )
    """,
    "CREATE INDEX sessions_user_id_idx ON sessions (user_id)",
    "CREATE INDEX sessions_expires_at_idx ON sessions (expires_at)",
    """
    CREATE TABLE refresh_tokens (
        digest bytea PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        nonce bytea,
        successor_digest bytea,
        CONSTRAINT refresh_tokens_used_check CHECK (
            (used_at IS NULL) = (nonce IS NULL) AND (used_at IS NULL) = (successor_digest IS NULL))
    )
    """,
    "CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id)",
    """
    CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        public_key bytea NOT NULL,
        sealed_private_key bytea NOT NULL,
        created_at timestamptz NOT NULL,
        signs_from timestamptz NOT NULL,
        CONSTRAINT signing_keys_signs_from_check CHECK (signs_from >= created_at)
    )
    """,
    """
    CREATE TABLE revocations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        session_id uuid,
        user_id uuid,
        min_token_version bigint,
        code text NOT NULL,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT revocations_subject_check CHECK (num_nonnulls(session_id, user_id) = 1),
        CONSTRAINT revocations_version_check CHECK ((user_id IS NULL) = (min_token_version IS NULL)),
        CONSTRAINT revocations_code_check CHECK (code IN ('unauthenticated', 'token_expired'))
    )
    """,
    "CREATE INDEX revocations_written_at_idx ON revocations (written_at)",
    "CREATE INDEX revocations_expires_at_idx ON revocations (expires_at)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    create_shared_tables(op)
