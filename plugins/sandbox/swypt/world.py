"""The simulated Swypt inside a test: a real HTTP server on a free loopback port, in threads of this process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plugins.sandbox.mpesa import clock
from plugins.sandbox.remote import Control
from plugins.sandbox.swypt import config, control
from plugins.sandbox.swypt.server import Server
from plugins.sandbox.swypt.simulator import Simulator


class SandboxSwypt:
    """One simulator: start, stop and start again on the same port and state.

    `settings` are those of `config.Settings`, `networks` as in `config.network`; `frozen_at` (ISO 8601) stops
    the clock. `control` is the client of the simulated M-Pesa's control API:
    `script`, `fault`, `decide`, `advance`, `settings`,
    `get` and `post` work here too.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        seed: int = 1,
        port: int = 0,
        host: str = "127.0.0.1",
        networks: dict[str, Any] | None = None,
        mpesa: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        frozen_at: str | None = None,
    ) -> None:
        line = {} if mpesa is None else {"mpesa": mpesa}
        self._world = config.read({"networks": networks or {}, "settings": settings or {}, **line})
        self._state_dir, self._seed, self._host, self._port = state_dir, seed, host, port
        self._frozen_at_ms = clock.parse(frozen_at) if frozen_at else None
        self._server: Server | None = None

    def start(self) -> None:
        """Serve; the first start takes the port, later ones take it again."""
        server = Server(
            world=self._world,
            state_dir=self._state_dir,
            seed=self._seed,
            host=self._host,
            port=self._port,
            frozen_at_ms=self._frozen_at_ms,
        )
        server.start(poll_s=0.01)
        self._server, self._port = server, server.port
        self.control = Control(f"http://{self._host}:{self._port}")

    def stop(self) -> None:
        """Close the port; everything is remembered in the state directory."""
        if self._server is not None:
            self.control.close()
            self._server.stop()
            self._server = None

    def restart(self) -> None:
        """Stop and start, as after a crash."""
        self.stop()
        self.start()

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"http://{self._host}:{self._port}/api"

    @property
    def simulator(self) -> Simulator:
        """The simulator inside. Raises RuntimeError while stopped."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        return self._server.sim

    @property
    def credentials(self) -> dict[str, Any]:
        """Keys `base_url`, `api_key`, `api_secret`, and `networks` with escrow and tokens."""
        return {"base_url": self.url, **control.credentials(self.simulator)}


@contextmanager
def running_swypt(*, state_dir: Path | None = None, **options: Any) -> Iterator[SandboxSwypt]:
    """A started simulator, stopped at the end; options are SandboxSwypt's. Without a state directory it forgets."""
    with tempfile.TemporaryDirectory(prefix="sandbox-swypt-") as fleeting:
        sandbox = SandboxSwypt(state_dir=state_dir or Path(fleeting), **options)
        sandbox.start()
        try:
            yield sandbox
        finally:
            sandbox.stop()
