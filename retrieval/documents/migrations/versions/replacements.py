"""Documents that wait to be replaced by newer ones."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "replacements",
        sa.Column("old_id", sa.String(64), primary_key=True),
        sa.Column("new_id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("knowledge_base", sa.String(63), primary_key=True),
        sa.ForeignKeyConstraint(["old_id"], ["files.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["new_id"], ["files.id"], ondelete="CASCADE"),
    )
