"""Web sources of KnowledgeBase objects."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("web_sources", sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()))
