"""Alembic's entry point: `service.sql.migrate` passes the connection, with a transaction around all migrations."""

from alembic import context

from operators.management.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
