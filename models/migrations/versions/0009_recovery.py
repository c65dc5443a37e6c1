"""Archived segments of journals, restore drills, events that are set aside, and runs that outlive their worker."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations import security

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "document_segments",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("seq_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq_to", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("authors", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bytes_raw", sa.BigInteger(), nullable=False),
        sa.Column("bytes_stored", sa.BigInteger(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name=op.f("fk_document_segments_org_id_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "document_id", "seq_from", name=op.f("pk_document_segments")),
    )
    security.protect("document_segments")
    op.create_table(
        "drills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("restored_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rpo_seconds", sa.Float(), nullable=True),
        sa.Column("rto_seconds", sa.Float(), nullable=True),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('running', 'good', 'bad', 'failed')", name=op.f("ck_drills_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drills")),
    )
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("unreferenced", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("bytes_removed", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
    )
    op.create_table(
        "unreferenced_objects",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_unreferenced_objects")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.execute("INSERT INTO installation (id) VALUES (gen_random_uuid())")
    op.create_table(
        "run_leases",
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("flow_run_id", name=op.f("pk_run_leases")),
    )
    op.create_table(
        "unrecorded_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("flow", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("org_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("subject_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unrecorded_runs")),
    )
    op.add_column("outbox", sa.Column("faults", sa.Integer(), server_default="0", nullable=False))
    op.add_column("outbox", sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True))
    _states("pipeline_runs", "'running', 'succeeded', 'failed', 'set_aside'")
    _states("revisions", "'pending', 'stored', 'derived', 'failed'")


def downgrade() -> None:
    op.execute("DELETE FROM pipeline_runs WHERE state = 'set_aside'")
    _states("pipeline_runs", "'running', 'succeeded', 'failed'")
    # Its snapshot may be gone, and the pipeline folds it again.
    op.execute("UPDATE revisions SET state = 'pending' WHERE state = 'derived'")
    _states("revisions", "'pending', 'stored', 'failed'")
    op.drop_column("outbox", "set_aside_at")
    op.drop_column("outbox", "faults")
    for table in ("unrecorded_runs", "run_leases", "installation", "unreferenced_objects"):
        op.drop_table(table)
    for table in ("sweeps", "drills", "document_segments"):
        op.drop_table(table)


def _states(table: str, states: str) -> None:
    """What a step of a pipeline, or a revision, can come to."""
    op.drop_constraint(op.f(f"ck_{table}_state"), table)
    op.create_check_constraint(op.f(f"ck_{table}_state"), table, f"state IN ({states})")
