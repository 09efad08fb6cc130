"""The sandbox command with real servers and a small web server in place of each of our own processes.

`python -m tests.embedded.sandbox_double --dir …` takes the options of `python -m gateway sandbox`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from gateway.adapters import servers
from gateway.adapters.cli.sandbox import sandbox
from gateway.adapters.cli.sandbox_host import SandboxHost, SandboxWorld, SeededKeys

#: Answers every call; as worker and relay it does nothing. `serve` starts a child of its own, as gunicorn
#: does, and ends it only if it is TIDY.
_STAND_IN = """
import json, os, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
name, port = sys.argv[1], int(sys.argv[2])
if os.environ.get("BROKEN") == name:
    sys.exit(f"{name} can't go on")
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = self.headers["Authorization"] == "Bearer sk_test_double" and asked["amount"] == 150000
        self.send_response(201 if good else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"url": f"http://127.0.0.1:{port}/c/first"}).encode())
    def log_message(self, *words):
        pass
if name == "serve":
    child = subprocess.Popen(["/bin/sleep", "600"])
    if os.environ.get("TIDY"):
        signal.signal(signal.SIGTERM, lambda *_: (child.kill(), sys.exit(0)))
if port:
    HTTPServer(("127.0.0.1", port), Answer).serve_forever()
else:
    time.sleep(600)
"""


class Double(SandboxHost):
    """Real servers and processes; a table and a constant in place of migrations and seed."""

    environ = os.environ
    embedded_postgres = staticmethod(servers.embedded_postgres)
    embedded_valkey = staticmethod(servers.embedded_valkey)
    reachable_folder = staticmethod(servers.reachable_folder)
    free_port = staticmethod(servers.free_port)

    def spawn(
        self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path
    ) -> servers.RunningProcess:
        words = list(command)
        if "--port" in words:
            part, port = name, words[words.index("--port") + 1]
        else:
            part = words[-1]
            port = env["GATEWAY_WEB_BIND"].rpartition(":")[2] if part == "serve" else "0"
        return servers.spawn(name, [sys.executable, "-c", _STAND_IN, part, port], log=log, env=env, cwd=cwd)

    def new_master_key(self) -> str:
        return os.urandom(8).hex()

    def migrate(self, owner_url: str) -> None:
        with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS starts (id int GENERATED ALWAYS AS IDENTITY, key text)")

    def seed_sandbox(self, world: SandboxWorld) -> SeededKeys:
        url = world.environment["GATEWAY_DATABASE_URL_OWNER"].replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("INSERT INTO starts (key) VALUES (%s)", (world.environment["GATEWAY_MASTER_KEY"],))
            row = connection.execute("SELECT count(*), count(DISTINCT key) FROM starts").fetchone()
        starts, keys = row or (0, 0)
        return SeededKeys(business=f"Start {starts} with {keys} key", secret_key="sk_test_double")


if __name__ == "__main__":
    sandbox(obj=Double())
