"""What alembic needs to bring any schema to its newest revision."""
