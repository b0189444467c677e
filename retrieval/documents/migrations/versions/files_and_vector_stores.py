"""Files and vector stores."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("max_bytes", sa.BigInteger, nullable=False),
        sa.Column("max_files", sa.Integer, nullable=False),
        sa.Column("max_vector_stores", sa.Integer, nullable=False),
    )
    op.create_table(
        "vector_stores",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("knowledge_base", sa.String(63), primary_key=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("spec", sa.JSON),
        sa.Column("title", sa.String(256), nullable=False),
        sa.Column("description", sa.String(512), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(1024), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_index("files_of_tenant", "files", ["tenant", "id"])
    op.create_table(
        "attachments",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("knowledge_base", sa.String(63), primary_key=True),
        sa.Column("file_id", sa.String(64), primary_key=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "knowledge_base"], ["vector_stores.tenant", "vector_stores.knowledge_base"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], ondelete="CASCADE"),
    )
    op.create_index("attachments_of_file", "attachments", ["file_id"])
    op.create_table(
        "batches",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("knowledge_base", sa.String(63), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("file_ids", sa.JSON, nullable=False),
        sa.Column("added", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "knowledge_base"], ["vector_stores.tenant", "vector_stores.knowledge_base"], ondelete="CASCADE"
        ),
    )
