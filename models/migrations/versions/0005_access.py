"""Access: guests, groups, suspension and deletion, levels and grants on documents, share links, wishes for access."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.migrations import security

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NEW = ("groups", "group_members", "document_grants", "share_links", "access_requests")


def upgrade() -> None:
    for table in ("memberships", "invitations"):
        op.drop_constraint(op.f(f"ck_{table}_role"), table)
        op.create_check_constraint(op.f(f"ck_{table}_role"), table, "role IN ('owner', 'admin', 'member', 'guest')")
    op.add_column("memberships", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("organizations", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("organizations", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    _add("organizations", "default_org_access", sa.SmallInteger(), "3")
    _add("organizations", "members_may_invite", sa.Boolean(), "false")
    _add("organizations", "members_may_share", sa.Boolean(), "true")
    _add("organizations", "invitation_domains", sa.ARRAY(sa.Text()), "'{}'")
    _add("documents", "org_access", sa.SmallInteger(), "3")
    op.create_check_constraint(op.f("ck_documents_org_access"), "documents", "org_access BETWEEN 0 AND 3")
    op.alter_column("invitations", "email", nullable=True)
    _add("invitations", "max_uses", sa.Integer(), "1")
    _add("invitations", "uses", sa.Integer(), "0")
    op.execute("UPDATE invitations SET uses = 1 WHERE accepted_at IS NOT NULL")
    op.drop_column("invitations", "accepted_at")
    op.create_check_constraint(op.f("ck_invitations_uses"), "invitations", "uses <= max_uses")
    op.create_table(
        "groups",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_groups_org_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_groups")),
        sa.UniqueConstraint("org_id", "name", name=op.f("uq_groups_org_id_name")),
    )
    op.create_table(
        "group_members",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _reference("group_members", "group_id", "groups", "id"),
        _reference("group_members", "user_id", "memberships", "user_id"),
        sa.PrimaryKeyConstraint("org_id", "group_id", "user_id", name=op.f("pk_group_members")),
    )
    op.create_index("ix_group_members_user", "group_members", ["org_id", "user_id"], unique=False)
    op.create_table(
        "document_grants",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(user_id, group_id, invitation_id) = 1", name=op.f("ck_document_grants_one_grantee")
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name=op.f("ck_document_grants_level")),
        _reference("document_grants", "document_id", "documents", "id"),
        _reference("document_grants", "user_id", "memberships", "user_id"),
        _reference("document_grants", "group_id", "groups", "id"),
        _reference("document_grants", "invitation_id", "invitations", "id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_document_grants")),
        *(
            sa.UniqueConstraint(
                "org_id", grantee, "document_id", name=op.f(f"uq_document_grants_org_id_{grantee}_document_id")
            )
            for grantee in ("user_id", "group_id", "invitation_id")
        ),
    )
    op.create_index("ix_document_grants_document", "document_grants", ["org_id", "document_id"], unique=False)
    op.create_table(
        "share_links",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_share_links_level")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_share_links_created_by")),
        _reference("share_links", "document_id", "documents", "id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_share_links")),
    )
    op.create_index("ix_share_links_document", "share_links", ["org_id", "document_id"], unique=False)
    op.create_index("ix_share_links_id", "share_links", ["id"], unique=False)
    op.create_table(
        "access_requests",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'approved', 'denied')", name=op.f("ck_access_requests_state")),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name=op.f("ck_access_requests_level")),
        _reference("access_requests", "document_id", "documents", "id"),
        _reference("access_requests", "user_id", "memberships", "user_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_access_requests")),
    )
    op.create_index(
        "uq_access_requests_pending",
        "access_requests",
        ["org_id", "document_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    for table in NEW:
        security.protect(table)
    security.show_joined("organizations")


def downgrade() -> None:
    op.execute("DROP POLICY joined ON organizations")
    for table in reversed(NEW):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_invitations_uses"), "invitations")
    op.add_column("invitations", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE invitations SET accepted_at = now() WHERE uses > 0")
    op.execute("DELETE FROM invitations WHERE email IS NULL OR role = 'guest'")
    op.drop_column("invitations", "uses")
    op.drop_column("invitations", "max_uses")
    op.alter_column("invitations", "email", nullable=False)
    op.drop_constraint(op.f("ck_documents_org_access"), "documents")
    op.drop_column("documents", "org_access")
    for column in (
        "invitation_domains",
        "members_may_share",
        "members_may_invite",
        "default_org_access",
        "deleted_at",
        "suspended_at",
    ):
        op.drop_column("organizations", column)
    # Whoever was kept out, or saw little, must not come to see more.
    op.execute("DELETE FROM memberships WHERE role = 'guest' OR suspended_at IS NOT NULL")
    op.drop_column("memberships", "suspended_at")
    for table in ("memberships", "invitations"):
        op.drop_constraint(op.f(f"ck_{table}_role"), table)
        op.create_check_constraint(op.f(f"ck_{table}_role"), table, "role IN ('owner', 'admin', 'member')")


def _add(table: str, column: str, kind: sa.types.TypeEngine, value: str) -> None:
    """A column that rows have already, with this value."""
    op.add_column(table, sa.Column(column, kind, nullable=False, server_default=sa.text(value)))


def _reference(table: str, column: str, target: str, key: str) -> sa.ForeignKeyConstraint:
    """To something of the same organization, whose end is the end of this row."""
    return sa.ForeignKeyConstraint(
        ["org_id", column],
        [f"{target}.org_id", f"{target}.{key}"],
        name=op.f(f"fk_{table}_org_id_{column}"),
        ondelete="CASCADE",
    )
