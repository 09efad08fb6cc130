"""The simulated M-Pesa as the suites drive it: real HTTP both ways, on a clock that stands until it is moved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from plugins.sandbox.mpesa import config, scripts, views
from plugins.sandbox.mpesa.server import Server
from ports.callback import ReplyTo
from ports.money import Money
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.scripted import ScriptedServer, reply, scripted_server

#: Longer than a prompt, a lock and a result take.
_A_WHILE_S = 600


@dataclass(kw_only=True)
class SimulatedMpesa:
    """One endpoint's side of a simulator: `push` for a rail, `b2c` for a channel."""

    endpoint: str
    server: Server
    receiver: ScriptedServer
    world: FakeWorld
    ends: dict[str, dict[str, object]] = field(default_factory=dict)
    claimed: dict[str, Money] = field(default_factory=dict)
    stopped: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def credentials(self) -> dict[str, object]:
        with self.server.sim.look():
            return views.credentials(self.server.sim)

    def reply_to(self, name: str) -> ReplyTo:
        path = _path(name)
        self.receiver.on(path, reply(200, {"ResultCode": 0, "ResultDesc": "Accepted"}))
        return ReplyTo(url=self.receiver.url + path)

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        end: dict[str, object] = {"endpoint": self.endpoint, "reference": reference, "code": code}
        if self.endpoint == "push":
            # The money moves in any case; what the query and the callback say of it is what is tested.
            end |= {"code": "0", "query": "truth" if code == "0" else code, "callback_code": code}
            if code == "4999":
                end |= {"callback_code": None, "settle_s": 10**6}
            if claims is not None:
                end["callback_amount"] = claims.units // 100
        elif claims is not None:
            self.claimed[reference] = claims
        self.ends[reference] = end
        self.arm(end)

    def hang_up_after_accepting(self) -> None:
        with self.server.sim.turn():
            for one in self.server.sim.armed.values():
                self.server.sim.armed.remove(str(one.no))
        for end in self.ends.values():
            self.arm(end | {"answer": "cut"})
        self.arm({"endpoint": self.endpoint, "answer": "cut"})

    def arm(self, script: dict[str, object]) -> None:
        """Script a later call, in the simulator's own words."""
        with self.server.sim.turn():
            scripts.arm(self.server.sim, script)

    def finish(self) -> None:
        self.server.sim.move_clock(by_ms=_A_WHILE_S * 1000)
        self.world.clock.forward(_A_WHILE_S)

    def posted(self, name: str) -> list[bytes]:
        bodies = [seen.body for seen in self.receiver.seen_at(_path(name))]
        return [_claiming(body, self.claimed[name]) for body in bodies] if name in self.claimed else bodies

    def _counts(self, what: str) -> dict[str, int]:
        with self.server.sim.look():
            counted = self.server.sim.journal.counts()[what]
        assert isinstance(counted, dict)
        return counted

    def collections_of(self, reference: str) -> int:
        return self._counts("prompts").get(reference, 0)

    def collections(self) -> int:
        return sum(self._counts("prompts").values())

    def payouts_of(self, reference: str) -> int:
        with self.server.sim.look():
            entries = self.server.sim.journal.select(endpoint="b2c", kind="request", reference=reference)
        return sum(entry["effect"] == "payout accepted" for entry in entries)

    def payouts(self) -> int:
        with self.server.sim.look():
            return len(self.server.sim.payouts)

    def calls(self) -> int:
        return sum(self._counts("calls").values())

    def stop_listening(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.server.stop()

    def refuse_credentials(self) -> None:
        stranger = config.App(consumer_key="someone-else", consumer_secret="someone-else")
        self.server.sim.world = replace(self.server.sim.world, apps=(stranger,))
        self.world.shared.kept.clear()


def _path(name: str) -> str:
    return f"/cb/{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _claiming(body: bytes, claims: Money) -> bytes:
    """The same result with another amount, as a forger or a fault would have it."""
    found = json.loads(body)
    for one in found["Result"]["ResultParameters"]["ResultParameter"]:
        if one["Key"] == "TransactionAmount":
            one["Value"] = claims.units // 100
    return json.dumps(found).encode()


@contextmanager
def simulated(
    endpoint: str,
    folder: Path,
    *,
    at: datetime = MORNING,
    made: type[SimulatedMpesa] = SimulatedMpesa,
    **settings: object,
) -> Iterator[SimulatedMpesa]:
    """A simulator with a memory of its own and a receiver for what it posts; its clock stands at that moment."""
    world = replace(config.DEFAULT, settings=config.changed(config.DEFAULT.settings, dict(settings)))
    frozen_at_ms = int(at.timestamp() * 1000)
    with scripted_server() as receiver:
        server = Server(world=world, state_dir=folder, seed=1, frozen_at_ms=frozen_at_ms)
        server.start(poll_s=0.01)
        mpesa = made(endpoint=endpoint, server=server, receiver=receiver, world=FakeWorld())
        try:
            yield mpesa
        finally:
            mpesa.stop_listening()
