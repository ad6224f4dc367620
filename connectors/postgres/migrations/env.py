"""Alembic's environment: the connection comes from `connectors.postgres.history`, never from an ini file."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
schema: str = context.config.attributes["schema"]

# Every name in a revision is unqualified: the first schema of the search path takes the tables. Extensions
# are shared by all schemas and live in `public`.
connection.exec_driver_sql(f'SET search_path TO "{schema}", public')
context.configure(connection=connection, version_table_schema=schema, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
