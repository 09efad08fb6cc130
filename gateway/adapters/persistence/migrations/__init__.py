"""The database's history: alembic's environment, one revision a file, and the SQL that they run."""
