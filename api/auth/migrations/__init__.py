"""The accounts' own schema, revision by revision (alembic)."""
