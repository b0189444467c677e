"""Web sources and their pages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "web_sources",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("knowledge_base", sa.String(63), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("url", sa.String(2_000), nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("most_pages", sa.Integer, nullable=False),
        sa.Column("every_minutes", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("looked", sa.BigInteger, nullable=False),
        sa.Column("message", sa.String(1_000), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "knowledge_base"], ["vector_stores.tenant", "vector_stores.knowledge_base"], ondelete="CASCADE"
        ),
    )
    op.create_index("web_sources_due", "web_sources", ["due"])
    op.create_table(
        "web_pages",
        sa.Column("source_id", sa.String(64), primary_key=True),
        sa.Column("url", sa.String(2_000), primary_key=True),
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("etag", sa.String(1_000), nullable=False),
        sa.Column("modified", sa.String(100), nullable=False),
        sa.Column("links", sa.JSON, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["web_sources.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], ondelete="CASCADE"),
    )
