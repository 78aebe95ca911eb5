"""The roles marker and invigilator."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
step = "pre"


def upgrade() -> None:
    op.drop_constraint("users_role_check", "users")
    # Not checked again for those who are there: each has one of the first two.
    op.execute(
        "ALTER TABLE users ADD CONSTRAINT users_role_check "
        "CHECK (role IN ('admin', 'student', 'marker', 'invigilator')) NOT VALID"
    )
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT users_role_check")
