"""One token for all, one refresher, and one more try when a token was certainly refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from plugins.mpesa.rail import MpesaPush
from ports.errors import Misconfigured, NotSent
from ports.report import Status
from tests.fakes.context import FakeSharedMemory, FakeWorld
from tests.plugins.mpesa.asking import OAUTH, PUSH, STALE, collection
from tests.plugins.mpesa.papers import INCAPSULA, PUSH_OK, TOKEN_OK, error, rail_values
from tests.plugins.scripted import ScriptedServer, hang_up, reply


class Hindsight(FakeSharedMemory):
    """Another process finishes fetching just before the lock is ours."""

    def __init__(self, world: FakeWorld) -> None:
        super().__init__(clock=world.clock)

    @contextmanager
    def only_one(self, key: str, *, life_s: int) -> Iterator[bool]:
        self.put(key.removesuffix(":lock"), "theirs", life_s=1000)
        with super().only_one(key, life_s=life_s) as mine:
            yield mine


class TestToken:
    """One token for all, one refresher, one more try."""

    def test_it_is_shared_between_processes(self, server: ScriptedServer, world: FakeWorld) -> None:
        for _ in range(3):
            MpesaPush.build(rail_values(server.url), world.context).start(collection())
        assert len(server.seen_at(OAUTH)) == 1

    def test_other_keys_have_another_token(self, server: ScriptedServer, world: FakeWorld) -> None:
        for key in ("one", "two"):
            MpesaPush.build(rail_values(server.url) | {"consumer_key": key}, world.context).start(collection())
        assert len(server.seen_at(OAUTH)) == 2

    @pytest.mark.parametrize("life", ["3599", 3599])
    def test_it_is_dropped_early(self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush, life: object) -> None:
        server.on(OAUTH, reply(200, TOKEN_OK | {"expires_in": life}))
        rail.start(collection())
        world.clock.forward(3599 - 120)
        rail.start(collection())
        assert len(server.seen_at(OAUTH)) == 1
        world.clock.forward(60)
        rail.start(collection())
        assert len(server.seen_at(OAUTH)) == 2

    @pytest.mark.parametrize("life", [None, "soon", -5, 0, "", 10**30])
    def test_an_odd_life_is_a_short_one(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush, life: object
    ) -> None:
        server.on(OAUTH, reply(200, TOKEN_OK | {"expires_in": life}))
        assert rail.start(collection()).status is Status.PENDING
        world.clock.forward(301)
        rail.start(collection())
        assert len(server.seen_at(OAUTH)) == 2

    @pytest.mark.parametrize(
        "refusal",
        [
            STALE,
            reply(401, error("401.002.01", "Error Occurred - Invalid Access Token - x")),
            reply(401, error("401.003.01", "Invalid token")),
            reply(400, error("400.003.01", "Invalid Access Token")),
            reply(401, error("401.001", "Invalid token")),
            reply(401),
        ],
    )
    def test_a_refused_token_is_renewed_once_and_the_call_sent_again(
        self, server: ScriptedServer, rail: MpesaPush, refusal: object
    ) -> None:
        server.on(OAUTH, reply(200, TOKEN_OK), reply(200, TOKEN_OK | {"access_token": "second"}))
        server.script[PUSH] = [refusal, reply(200, PUSH_OK)]  # type: ignore[list-item]
        assert rail.start(collection()).status is Status.PENDING
        first, second = server.seen_at(PUSH)
        assert (second.headers["authorization"], second.body) == ("Bearer second", first.body)

    def test_a_token_that_another_process_renewed_is_used(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        rail.start(collection())
        (key,) = world.shared.kept

        def meanwhile(peer: object, stopped: object) -> None:
            world.shared.put(key, "theirs", life_s=1000)
            STALE(peer, stopped)  # type: ignore[arg-type]

        server.on(PUSH, meanwhile, reply(200, PUSH_OK))
        assert rail.start(collection()).status is Status.PENDING
        assert server.seen_at(PUSH)[-1].headers["authorization"] == "Bearer theirs"
        assert len(server.seen_at(OAUTH)) == 1

    def test_a_token_fetched_between_our_look_and_our_lock_is_used(
        self, server: ScriptedServer, world: FakeWorld
    ) -> None:
        rail = MpesaPush.build(rail_values(server.url), replace(world.context, shared=Hindsight(world)))
        assert rail.start(collection()).status is Status.PENDING
        assert server.seen_at(OAUTH) == []
        assert server.seen_at(PUSH)[0].headers["authorization"] == "Bearer theirs"

    def test_a_second_refusal_gives_up_for_now(self, server: ScriptedServer, rail: MpesaPush) -> None:
        server.on(PUSH, STALE)
        with pytest.raises(NotSent, match=r"push: a fresh token was refused \(404\.001\.03\)"):
            rail.start(collection())
        assert (len(server.seen_at(PUSH)), len(server.seen_at(OAUTH))) == (2, 2)

    def test_fresh_tokens_that_stay_refused_are_our_set_up(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        server.on(PUSH, STALE)
        for _ in range(3):
            with pytest.raises(NotSent):
                rail.start(collection())
            world.clock.forward(10)
        with pytest.raises(Misconfigured, match=r"push: fresh tokens are refused \(404\.001\.03\)"):
            rail.start(collection())

    @pytest.mark.parametrize("between", ["a token was taken", "an hour passed"])
    def test_refusals_that_have_nothing_to_do_with_one_another_are_not_counted_together(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush, between: str
    ) -> None:
        server.script[PUSH] = [STALE, STALE]  # type: ignore[list-item]
        with pytest.raises(NotSent):
            rail.start(collection())
        if between == "a token was taken":
            server.on(PUSH, reply(200, PUSH_OK))
            rail.start(collection())
            world.clock.forward(60)
        else:
            world.clock.forward(3600)
        server.on(PUSH, STALE)
        with pytest.raises(NotSent):
            rail.start(collection())

    def test_without_shared_memory_a_second_refusal_gives_up_for_now(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        world.shared.reachable = False
        server.on(PUSH, STALE)
        with pytest.raises(NotSent, match="a fresh token was refused"):
            rail.start(collection())
        assert (len(server.seen_at(PUSH)), len(server.seen_at(OAUTH))) == (2, 2)

    def test_a_missing_product_is_our_set_up_after_one_renewal(self, server: ScriptedServer, rail: MpesaPush) -> None:
        server.on(PUSH, reply(404, error("404.001.03", "Error: Invalid API call as no apiproduct match found")))
        with pytest.raises(Misconfigured, match="lacks this API product"):
            rail.start(collection())
        assert (len(server.seen_at(PUSH)), len(server.seen_at(OAUTH))) == (2, 2)

    @pytest.mark.parametrize(
        "refusal",
        [
            reply(400),
            reply(400, error("400.008.01", "Invalid Authentication passed")),
            reply(400, error("400.008.02", "Invalid grant type passed")),
            reply(401),
            reply(403, error("403.002.1001", "no")),
        ],
    )
    def test_wrong_keys_are_our_set_up_and_asked_once(
        self, server: ScriptedServer, rail: MpesaPush, refusal: object
    ) -> None:
        server.script[OAUTH] = [refusal]  # type: ignore[list-item]
        with pytest.raises(Misconfigured, match="token: refused"):
            rail.start(collection())
        assert [seen.path for seen in server.seen] == [OAUTH + "?grant_type=client_credentials"]

    @pytest.mark.parametrize(
        ("trouble", "whole"),
        [
            (hang_up, False),
            (reply(503, INCAPSULA), False),
            (reply(403, INCAPSULA), True),
            (reply(429), True),
            (reply(500, error("500.003.02", "Spike Arrest Violation")), True),
            (reply(500, error("500.003.02", "System is busy")), False),
            (reply(200, INCAPSULA), False),
            (reply(200, {"access_token": ""}), False),
            (reply(200, {"access_token": "bad\r\nheader"}), False),
            (reply(302), False),
        ],
    )
    def test_trouble_with_the_token_is_not_sent(
        self, server: ScriptedServer, rail: MpesaPush, trouble: object, whole: bool
    ) -> None:
        server.script[OAUTH] = [trouble]  # type: ignore[list-item]
        with pytest.raises(NotSent) as caught:
            rail.start(collection())
        assert (caught.value.whole_connection, server.seen_at(PUSH)) == (whole, [])

    def test_many_at_once_fetch_one_token(self, server: ScriptedServer, world: FakeWorld) -> None:
        fetched = threading.Event()

        def slowly(peer: object, stopped: threading.Event) -> None:
            fetched.wait(5)
            reply(200, TOKEN_OK)(peer, stopped)  # type: ignore[arg-type]

        server.on(OAUTH, slowly)

        def wait(seconds: float) -> None:
            fetched.set()
            threading.Event().wait(seconds / 5)

        context = replace(world.context, wait=wait)
        done: list[Status] = []

        def one() -> None:
            done.append(MpesaPush.build(rail_values(server.url), context).start(collection()).status)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert (done, len(server.seen_at(OAUTH))) == ([Status.PENDING] * 4, 1)

    def test_a_refresher_that_does_not_finish_is_not_waited_for_long(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        rail.start(collection())
        (key,) = world.shared.kept
        world.shared.kept.clear()
        world.shared.locked.add(f"{key}:lock")
        with pytest.raises(NotSent, match="another process"):
            rail.start(collection())
        assert (sum(world.waited) < 10, len(server.seen_at(PUSH))) == (True, 1)

    def test_without_shared_memory_every_call_fetches(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        world.shared.reachable = False
        for _ in range(2):
            assert rail.start(collection()).status is Status.PENDING
        assert len(server.seen_at(OAUTH)) == 2
