"""Notifications by mail: how often, and which digests were sent."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.migrations import security

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_MAILING = "mailing IN ('immediate', 'daily', 'off')"


def upgrade() -> None:
    op.create_table(
        "mail_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("mailing", sa.String(), nullable=False),
        sa.CheckConstraint(_MAILING, name=op.f("ck_mail_preferences_mailing")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_mail_preferences_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_mail_preferences")),
    )
    op.create_table(
        "org_mail_preferences",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("mailing", sa.String(), nullable=False),
        sa.CheckConstraint(_MAILING, name=op.f("ck_org_mail_preferences_mailing")),
        sa.ForeignKeyConstraint(
            ["org_id", "user_id"],
            ["memberships.org_id", "memberships.user_id"],
            name=op.f("fk_org_mail_preferences_org_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "user_id", name=op.f("pk_org_mail_preferences")),
    )
    security.protect("org_mail_preferences")
    op.create_table(
        "digests",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("notifications", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_digests_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_digests")),
    )


def downgrade() -> None:
    op.drop_table("digests")
    op.drop_table("org_mail_preferences")
    op.drop_table("mail_preferences")
