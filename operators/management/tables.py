"""The tables. A change here needs a migration in `migrations/versions`. Times are in microseconds since the epoch."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

# Open sign-ins. Of the secret in a browser's cookie only the digest is here.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    # The digest of the key that was signed in with; empty for a person of the provider.
    Column("key_digest", String(64), nullable=False),
    # Of a person of the provider; a key's are those of its object.
    Column("actor", String(256), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
)

# Failed sign-ins, by the address of the person.
failures = Table(
    "failures",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("address", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("failures_at", "at"),
)

# What was changed, by whom, from where. An outcome of 0 is not known yet.
changes = Table(
    "changes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("address", String(64), nullable=False),
    Column("request_id", String(128), nullable=False),
    Index("changes_of_tenant", "tenant", "id"),
    Index("changes_at", "at"),
)

# Judged answers, with a person's correction if there is one.
ratings = Table(
    "ratings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("model", String(256), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("is_right", Integer, nullable=False),
    Column("correction", Text, nullable=False),
    Index("ratings_of_tenant", "tenant", "id"),
)
