"""`python -m plugins.sandbox.shop --port P --state-dir DIR --sandbox FILE`: the demo shop as a process."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from plugins.sandbox.shop.app import Shop
from plugins.sandbox.shop.orders import Memory
from plugins.sandbox.shop.till import Till


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Customers aren't logged."""


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. The key is read from a file, so that no list of processes shows it."""
    parser = argparse.ArgumentParser(prog="python -m plugins.sandbox.shop", description="Serve the demo shop.")
    parser.add_argument("--port", type=int, default=8791, help="default 8791, on 127.0.0.1")
    parser.add_argument("--state-dir", type=Path, required=True, help="where orders are kept")
    parser.add_argument("--sandbox", type=Path, required=True, help="JSON with `api` and `secret_key`")
    options = parser.parse_args(arguments)
    known = json.loads(options.sandbox.read_text())
    shop = Shop(
        memory=Memory(options.state_dir),
        till=Till(known["api"], known["secret_key"]),
        url=f"http://127.0.0.1:{options.port}",
    )
    shop.listen()
    server = make_server("127.0.0.1", options.port, shop, threaded=True, request_handler=_Quiet)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    serving.start()
    ended.wait()
    server.shutdown()
    serving.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
