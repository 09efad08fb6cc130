"""Two prompt rails in one installation, each with an M-Pesa of its own; the second one can be made to hang."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway import seeding
from plugins.sandbox.remote import Control
from tests.chaos import second_rail
from tests.chaos.lines import Line
from tests.chaos.scene import QUICK, Scene, a_scene, a_simulator
from tests.stack import Shop

#: People who pay as soon as they are asked, so that no order has to be told to the world, which may hang.
_WORLD = {**QUICK, "autopilot_ms": 100}
#: How it hangs: it stops and goes on where it stopped; or what it was told meanwhile is lost.
HOWS = ("frozen", "mute")


class Wire:
    """Stands between the gateway and the second M-Pesa: carries bytes, or takes calls and never answers them."""

    def __init__(self, target: str) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target, self.mute = (host, int(port)), False
        #: Calls that nobody will answer: they stay open, as a dead host's would.
        self._held: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        """One exchange: the gateway opens a connection for each."""
        if self.mute:
            self._held.append(caller)
            return
        with suppress(OSError), closing(caller), closing(socket.create_connection(self._target)) as provider:
            other = {caller: provider, provider: caller}
            while ready := select.select(list(other), [], [], 60)[0]:
                for one in ready:
                    piece = one.recv(65_536)
                    if self.mute:
                        self._held += [caller.dup(), provider.dup()]
                    if not piece or self.mute:
                        return
                    other[one].sendall(piece)

    def close(self) -> None:
        """Let go of everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for one in self._held:
            one.close()


@dataclass(slots=True, kw_only=True)
class Two:
    """An installation with two prompt rails, each to an M-Pesa of its own; `second` is the one that hangs."""

    scene: Scene
    first: Line
    second: Line
    pid: int
    wire: Wire

    @contextmanager
    def hung(self, how: str) -> Iterator[None]:
        """The second M-Pesa hangs in one of HOWS."""
        if how == "frozen":
            os.killpg(self.pid, signal.SIGSTOP)
        self.wire.mute = how == "mute"
        try:
            yield
        finally:
            self.wire.mute = False
            os.killpg(self.pid, signal.SIGCONT)


@contextmanager
def two_lines(folder: Path, *, seed: int) -> Iterator[Two]:
    """Started, and each rail warm."""
    with a_scene(
        folder, seed=seed, settings=_WORLD, more=second_rail.installed_in(folder.parent / f"{folder.name}-plugins")
    ) as scene:
        there = folder / "second"
        there.mkdir()
        url, process = a_simulator(there, scene.cleanup, seed + 1_000, _WORLD)
        wire = Wire(url)
        scene.cleanup.callback(wire.close)
        key = _connect(scene, url, wire.url)
        chance = random.Random(seed)
        firsts, seconds = (iter(chance.sample(range(n, n + 4_000_000), 50_000)) for n in (1_000_000, 5_000_000))
        two = Two(
            scene=scene,
            first=Line(method="mpesa", shop=scene.stack.shop, control=scene.stack.control, phones=firsts),
            second=Line(
                method=second_rail.METHOD,
                shop=Shop(url=scene.stack.url, key=key),
                control=Control(url),
                phones=seconds,
            ),
            pid=process.pid,
            wire=wire,
        )
        scene.cleanup.callback(two.second.shop.session.close)
        scene.cleanup.callback(two.second.control.close)
        yield two


def _connect(scene: Scene, url: str, wire_url: str) -> str:
    """A float, a connection over the wire and a business of its own, as an operator makes them; gives its key."""
    account = {**seeding.mpesa_of(url), "base_url": wire_url, "shortcode": str(seeding.mpesa_of(url)["shortcode"])}
    names = ("base_url", "consumer_key", "consumer_secret", "shortcode", "passkey")
    config = scene.folder / "second.json"
    config.write_text(json.dumps({name: account[name] for name in names}))
    pocket = _operate(scene, "float", "add", "Second paybill")
    _operate(
        scene, "connection", "add", second_rail.CODE, "--title", "Second", "--float", pocket, "--config", str(config)
    )
    business = _operate(scene, "business", "create", "Duka Pili", "--tag", "PILI")
    return _operate(scene, "business", "key", business)


def _operate(scene: Scene, *words: str) -> str:
    command = [sys.executable, "-m", "gateway", *words, "--reason", "chaos"]
    done = subprocess.run(command, env=scene.stack.environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]
