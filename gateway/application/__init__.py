"""Use cases: what the system can do, one file per noun."""
