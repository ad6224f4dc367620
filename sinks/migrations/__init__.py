"""The views' database, revision by revision (alembic)."""
