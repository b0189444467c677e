"""Records of deletions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "deletions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("name", sa.String(1024), nullable=False),
        sa.Column("knowledge_bases", sa.JSON, nullable=False),
        sa.Column("checked", sa.BigInteger, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )
    op.create_index("deletions_of_tenant", "deletions", ["tenant", "id"])
    op.create_index("deletions_unproven", "deletions", ["checked"])
