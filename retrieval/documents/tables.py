"""The tables. A change here needs a migration in `migrations/versions`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    false,
)

metadata = MetaData()

tenants = Table(
    "tenants",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("max_bytes", BigInteger, nullable=False),
    Column("max_files", Integer, nullable=False),
    Column("max_vector_stores", Integer, nullable=False),
)

# `created` is in microseconds since the epoch. Lists are in the order of ids, which is that of creation.
vector_stores = Table(
    "vector_stores",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("knowledge_base", String(63), primary_key=True),
    Column("created", BigInteger, nullable=False),
    # The desired state of a KnowledgeBase object; null for a store made by the API.
    Column("spec", JSON(none_as_null=True)),
    Column("title", String(256), nullable=False),
    Column("description", String(512), nullable=False),
    Column("labels", JSON, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("name", String(1024), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    # True while its bytes are on their way out of the object store.
    Column("deleted", Boolean, nullable=False, default=False),
    Index("files_of_tenant", "tenant", "id"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("knowledge_base", String(63), primary_key=True),
    Column("file_id", String(64), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("attributes", JSON, nullable=False),
    # A cancelled file is listed, and not indexed.
    Column("cancelled", Boolean, nullable=False, default=False),
    ForeignKeyConstraint(
        ["tenant", "knowledge_base"], ["vector_stores.tenant", "vector_stores.knowledge_base"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["file_id"], ["files.id"], ondelete="CASCADE"),
    Index("attachments_of_file", "file_id"),
)

web_sources = Table(
    "web_sources",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("knowledge_base", String(63), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("url", String(2_000), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("most_pages", Integer, nullable=False),
    Column("every_minutes", Integer, nullable=False),
    # When it is looked at next, in microseconds since the epoch.
    Column("due", BigInteger, nullable=False),
    # When the last look ended, 0 before the first; and why pages could not be read, or "".
    Column("looked", BigInteger, nullable=False),
    Column("message", String(1_000), nullable=False),
    # Whether it is the KnowledgeBase object's.
    Column("managed", Boolean, nullable=False, server_default=false()),
    ForeignKeyConstraint(
        ["tenant", "knowledge_base"], ["vector_stores.tenant", "vector_stores.knowledge_base"], ondelete="CASCADE"
    ),
    Index("web_sources_due", "due"),
)

web_pages = Table(
    "web_pages",
    metadata,
    Column("source_id", String(64), primary_key=True),
    Column("url", String(2_000), primary_key=True),
    Column("file_id", String(64), nullable=False),
    Column("etag", String(1_000), nullable=False),
    Column("modified", String(100), nullable=False),
    Column("links", JSON, nullable=False),
    # Looks in a row without it.
    Column("missed", Integer, nullable=False),
    ForeignKeyConstraint(["source_id"], ["web_sources.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["file_id"], ["files.id"], ondelete="CASCADE"),
)

deletions = Table(
    "deletions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("name", String(1024), nullable=False),
    Column("knowledge_bases", JSON, nullable=False),
    Column("checked", BigInteger, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("signature", String(128), nullable=False),
    Index("deletions_of_tenant", "tenant", "id"),
    Index("deletions_unproven", "checked"),
)

# Files that leave once newer ones are ready.
replacements = Table(
    "replacements",
    metadata,
    Column("old_id", String(64), primary_key=True),
    Column("new_id", String(64), primary_key=True),
    Column("tenant", String(63), primary_key=True),
    Column("knowledge_base", String(63), primary_key=True),
    ForeignKeyConstraint(["old_id"], ["files.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["new_id"], ["files.id"], ondelete="CASCADE"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("knowledge_base", String(63), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("file_ids", JSON, nullable=False),
    # Not attached before: a cancellation takes out no others.
    Column("added", JSON, nullable=False),
    ForeignKeyConstraint(
        ["tenant", "knowledge_base"], ["vector_stores.tenant", "vector_stores.knowledge_base"], ondelete="CASCADE"
    ),
)
