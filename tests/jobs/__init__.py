"""Tests of relay, queues and workers, on a real PostgreSQL and a real Valkey."""
