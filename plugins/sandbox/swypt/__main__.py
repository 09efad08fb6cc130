"""`python -m plugins.sandbox.swypt --port P --state-dir DIR`: the simulated Swypt as a process."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from plugins.sandbox.mpesa import clock
from plugins.sandbox.swypt import config
from plugins.sandbox.swypt.server import Server


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m plugins.sandbox.swypt", description="Serve the simulated Swypt.")
    parser.add_argument("--port", type=int, default=8791, help="default 8791; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1; it has no access control")
    parser.add_argument("--state-dir", type=Path, required=True, help="where it remembers, made if missing")
    parser.add_argument("--seed", type=int, default=1, help="ids and chance; the state directory keeps its first seed")
    parser.add_argument("--config", type=Path, help="JSON with api_key, api_secret, networks and settings")
    parser.add_argument("--autopilot-ms", type=int, help="answer every unscripted prompt with success after this")
    parser.add_argument("--frozen-at", help="stop the clock at this ISO 8601 instant")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; 2 for a configuration that cannot be read."""
    options = _options(arguments)
    try:
        world = config.load(options.config) if options.config else config.World()
        if options.autopilot_ms is not None:
            world = config.read({"settings": {"autopilot_ms": options.autopilot_ms}}, base=world)
        frozen_at_ms = clock.parse(options.frozen_at) if options.frozen_at else None
    except (ValueError, OSError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    server = Server(
        world=world,
        state_dir=options.state_dir,
        seed=options.seed,
        host=options.host,
        port=options.port,
        frozen_at_ms=frozen_at_ms,
    )
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    server.start()
    chains = [name for name, one in server.sim.networks.items() if one.is_attached]
    told = f"sends tokens on {', '.join(chains)}" if chains else "no chain is attached: transactions are invented"
    sys.stdout.write(f"sandbox Swypt at {server.url} ({told})\n")
    sys.stdout.flush()
    ended.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
