"""Archives of organizations, imports, and how long revisions are kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations import security

revision: str = "0008"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = "state IN ('pending', 'running', 'succeeded', 'failed')"


def upgrade() -> None:
    op.alter_column("exports", "document_id", nullable=True)
    op.add_column("exports", sa.Column("done", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("exports", "done", server_default=None)
    op.add_column("exports", sa.Column("total", sa.Integer(), nullable=True))
    op.add_column("exports", sa.Column("upload_id", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_exports_document"), "exports", "(document_id IS NULL) = (format = 'archive')")
    op.create_table(
        "export_parts",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("last_document", sa.Uuid(), nullable=True),
        sa.Column("entries", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "export_id"],
            ["exports.org_id", "exports.id"],
            name=op.f("fk_export_parts_org_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "export_id", "number", name=op.f("pk_export_parts")),
    )
    op.create_table(
        "imports",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_imports_state")),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_imports_org_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_imports")),
    )
    op.create_table(
        "import_items",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("state IN ('imported', 'failed')", name=op.f("ck_import_items_state")),
        sa.ForeignKeyConstraint(
            ["org_id", "import_id"],
            ["imports.org_id", "imports.id"],
            name=op.f("fk_import_items_org_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "import_id", "position", name=op.f("pk_import_items")),
    )
    op.create_table(
        "retention_policies",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("all_days", sa.Integer(), nullable=False),
        sa.Column("hourly_days", sa.Integer(), nullable=False),
        sa.Column("daily_days", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= all_days AND all_days <= hourly_days AND hourly_days <= daily_days",
            name=op.f("ck_retention_policies_days"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_retention_policies_org_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_retention_policies")),
    )
    for table in ("export_parts", "imports", "import_items", "retention_policies"):
        security.protect(table)


def downgrade() -> None:
    for table in ("retention_policies", "import_items", "imports", "export_parts"):
        op.drop_table(table)
    op.execute("DELETE FROM exports WHERE document_id IS NULL")
    op.drop_constraint(op.f("ck_exports_document"), "exports", type_="check")
    for column in ("upload_id", "total", "done"):
        op.drop_column("exports", column)
    op.alter_column("exports", "document_id", nullable=False)
