"""Regrades: decisions about questions over immutable answers, and every score that they replaced."""

import sqlalchemy as sa
from alembic import op
from examkit.migrate import append_only, serve_role
from sqlalchemy.dialects import postgresql as pg

revision = "0003"
down_revision = "0002"

_TYPES = "type IN ('single_choice','multi_choice','true_false','numeric','short_text','text','image')"


def upgrade() -> None:
    _regrades()
    _score_history()
    for table in ("regrades", "score_history"):
        append_only(op, table, serve_role())
    for name in ("rules_version", "applied_version"):
        op.add_column("papers", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.create_check_constraint("papers_applied_version_check", "papers", "applied_version <= rules_version")
    op.create_index(
        "papers_unapplied_idx",
        "papers",
        ["exam_id"],
        postgresql_where=sa.text("applied_version < rules_version"),
    )
    op.add_column("grades", sa.Column("rules_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("grades", sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"))
    op.add_column("grades", sa.Column("changes", pg.JSONB, nullable=False, server_default="[]"))
    op.add_column("grade_items", sa.Column("marked_score", sa.BigInteger))


def _regrades() -> None:
    op.create_table(
        "regrades",
        *(sa.Column(name, sa.Uuid, nullable=False) for name in ("id", "exam_id", "question_id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("key", pg.JSONB),
        sa.Column("undoes", sa.Uuid),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="regrades_pkey"),
        sa.UniqueConstraint("exam_id", "version", name="regrades_exam_id_version_key"),
        sa.UniqueConstraint("undoes", name="regrades_undoes_key"),
        sa.ForeignKeyConstraint(["undoes"], ["regrades.id"], name="regrades_undoes_fkey"),
        sa.CheckConstraint(_TYPES, name="regrades_type_check"),
        sa.CheckConstraint(
            "policy IN ('rekey','full_marks','exclude','rollback')", name="regrades_policy_check"
        ),
        sa.CheckConstraint("(policy = 'rekey') = (key IS NOT NULL)", name="regrades_key_check"),
        sa.CheckConstraint("(policy = 'rollback') = (undoes IS NOT NULL)", name="regrades_undoes_check"),
    )


def _score_history() -> None:
    op.create_table(
        "score_history",
        *(
            sa.Column(name, sa.Uuid, nullable=False)
            for name in ("student_id", "student_exam_id", "question_id", "id")
        ),
        sa.Column("regrade_id", sa.Uuid),
        sa.Column("attempt_no", sa.Integer, nullable=False),
        sa.Column("attempt_version", sa.BigInteger, nullable=False),
        sa.Column("status_before", sa.Text, nullable=False),
        sa.Column("score_before", sa.BigInteger),
        sa.Column("status_after", sa.Text),
        sa.Column("score_after", sa.BigInteger),
        sa.Column("total_before", sa.BigInteger, nullable=False),
        sa.Column("max_before", sa.BigInteger, nullable=False),
        sa.Column("total_after", sa.BigInteger),
        sa.Column("max_after", sa.BigInteger),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "student_id", "student_exam_id", "question_id", "id", name="score_history_pkey"
        ),
    )
    op.create_index("score_history_regrade_id_idx", "score_history", ["regrade_id"])
