"""The simulated M-Pesa inside a test: a real HTTP server on a free loopback port, in threads of this process."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plugins.sandbox.mpesa import clock, config
from plugins.sandbox.mpesa.server import Server
from plugins.sandbox.mpesa.simulator import Simulator
from plugins.sandbox.mpesa.views import credentials
from plugins.sandbox.remote import Control


class SandboxMpesa:
    """One simulator: start, stop and start again on the same port and state.

    `settings` are those of `config.Settings`; `world` is a parsed configuration (`apps`, `shortcodes`, `settings`);
    `frozen_at` (ISO 8601) stops the clock there at first. Two simulators with one seed give the same receipts: use
    different seeds where one database meets several.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        seed: int = 1,
        port: int = 0,
        host: str = "127.0.0.1",
        world: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        frozen_at: str | None = None,
    ) -> None:
        given = dict(world or {})
        given["settings"] = {**given.get("settings", {}), **(settings or {})}
        self._world = config.read(given)
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
        server.start(poll_s=0.01)  # Tests start and stop many of these.
        self._server, self._port = server, server.port
        self.control = Control(self.url)

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
        """The base URL, as `https://sandbox.safaricom.co.ke` would be."""
        return f"http://{self._host}:{self._port}"

    @property
    def simulator(self) -> Simulator:
        """The simulator inside. Raises RuntimeError while stopped."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        return self._server.sim

    @property
    def credentials(self) -> dict[str, Any]:
        """Keys `base_url`, `consumer_key`, `consumer_secret`, `shortcode`, `passkey`, `b2c_shortcode`,
        `initiator_name`, `initiator_password`, `security_credential`, `certificate_pem`, `certificate_file`."""
        return {"base_url": self.url, **credentials(self.simulator)}


@contextmanager
def running_sandbox(*, state_dir: Path | None = None, **options: Any) -> Iterator[SandboxMpesa]:
    """A started simulator, stopped at the end; options are SandboxMpesa's. Without a state directory it forgets."""
    with tempfile.TemporaryDirectory(prefix="sandbox-mpesa-") as fleeting:
        sandbox = SandboxMpesa(state_dir=state_dir or Path(fleeting), **options)
        sandbox.start()
        try:
            yield sandbox
        finally:
            sandbox.stop()
