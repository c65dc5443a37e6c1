"""Documents below documents, and finding them by their words."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_documents_org_id_parent_id"),
        "documents",
        "documents",
        ["org_id", "parent_id"],
        ["org_id", "id"],
        ondelete="SET NULL (parent_id)",
    )
    op.create_index("ix_documents_parent", "documents", ["org_id", "parent_id"])
    op.create_index(
        "ix_documents_title_words", "documents", [sa.text("to_tsvector('simple', title)")], postgresql_using="gin"
    )
    op.create_index(
        "ix_document_texts_words",
        "document_texts",
        [sa.text("to_tsvector('simple', left(text, 200000))")],
        postgresql_using="gin",
    )


def downgrade() -> None:
    op.drop_index("ix_document_texts_words", table_name="document_texts")
    op.drop_index("ix_documents_title_words", table_name="documents")
    op.drop_index("ix_documents_parent", table_name="documents")
    op.drop_constraint(op.f("fk_documents_org_id_parent_id"), "documents", type_="foreignkey")
    op.drop_column("documents", "parent_id")
