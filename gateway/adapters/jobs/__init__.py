"""The queue that hurries work along; PostgreSQL remembers it."""
