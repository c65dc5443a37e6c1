"""Since when there is this installation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    op.add_column("installation", moment)
    # One that is older than this column has been there since its first account at least.
    op.execute("UPDATE installation SET created_at = LEAST(now(), (SELECT min(created_at) FROM users))")


def downgrade() -> None:
    op.drop_column("installation", "created_at")
