"""What organizations may have at most."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.migrations import security

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "org_quotas",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=True),
        sa.Column("documents", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("least(members, documents, bytes) >= 0", name=op.f("ck_org_quotas_not_negative")),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_org_quotas_org_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_org_quotas")),
    )
    security.protect("org_quotas")


def downgrade() -> None:
    op.drop_table("org_quotas")
