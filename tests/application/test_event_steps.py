"""Thousands of generated steps: each change of state has its event with that very state, and each event its due work.

The short form runs with the rest; ten thousand steps run with `make crash-deep`.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from gateway.application.commands import NewEndpoint
from gateway.application.interfaces import Json
from gateway.domain.errors import GatewayError
from tests.application.harness import World, id_of
from tests.application.test_events import STATUS, WORDS, Life

STEPS_A_LIFE = 12
#: What still moves has something due; a payment that waits for its shopper has its expiry.
FINAL = {"succeeded", "canceled", "expired", "paid", "failed", "returned"}


class Witness:
    """Remembers what it saw of each object, and holds each event against what can be read."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: dict[str, int] = {}
        self.told: dict[str, Json] = {}

    def look(self, one: Json) -> None:
        """After a step: the new events of that object are gapless, and the last one is the object as it stands."""
        events = self.world.events(one)
        known = self.seen.get(one["id"], 0)
        assert [event["sequence"] for event in events[known:]] == list(range(known + 1, len(events) + 1))
        for event in events[known:]:
            assert event["data"]["object"]["status"] in STATUS.get(event["type"], {event["data"]["object"]["status"]})
            self.told[event["id"]] = event
        self.seen[one["id"]] = len(events)
        stands = self.plain(one)
        last = events[-1]["data"]["object"]
        assert last["status"] == stands["status"], "a change of state that no event tells"
        if last["version"] == stands["version"]:
            assert last == stands
        if stands["status"] not in FINAL:
            assert self.due(one) > 0, "work in progress that nobody will look at"

    def plain(self, one: Json) -> Json:
        """The object as an event shows it: with nothing that hangs on it."""
        read: Any = self.world.web.payouts.read if one["object"] == "payout" else self.world.web.payments.read
        found: Json = read.get(id_of(one), self.world.call)
        return found

    def due(self, one: Json) -> int:
        """Open due work of the object and its attempts."""
        table = "payout_attempt" if one["object"] == "payout" else "attempt"
        owner = "payout_id" if one["object"] == "payout" else "payment_id"
        found = self.world.value(
            "SELECT count(*) FROM gateway.outbox o WHERE o.done_at IS NULL AND (o.subject_id = :id OR o.subject_id IN"
            f" (SELECT id FROM gateway.{table} WHERE {owner} = :id))",
            id=id_of(one),
        )
        return int(found)

    def delivered(self) -> None:
        """Every event was told to the endpoint once, in the bytes that the events of the API hold."""
        got = [(message_id, json.loads(body)) for _, message_id, body in self.world.receiver.got]
        assert len(got) == len({message_id for message_id, _ in got})
        sent = dict(got)
        assert {key: sent.get(key) for key in self.told} == self.told
        missing = self.world.value(
            "SELECT count(*) FROM gateway.event e WHERE e.business_id = :b AND NOT EXISTS (SELECT FROM gateway.delivery"
            " d JOIN gateway.outbox o ON o.subject_id = d.id AND o.kind LIKE 'webhook.%' WHERE d.event_id = e.id)",
            b=self.world.business.id,
        )
        assert missing == 0


@pytest.mark.parametrize("steps", [360, pytest.param(10_000, marks=pytest.mark.deep)])
def test_each_event_is_its_change_and_each_change_has_its_event(world: World, steps: int) -> None:
    world.web.use_cases.endpoints.create(NewEndpoint(url="https://a.example/hook"), world.call)
    chance, witness, done = Random(20261124), Witness(world), 0
    while done < steps:
        life = Life(world)
        world.settle()
        payouts: set[str] = set()
        for word in chance.choices(WORDS, k=STEPS_A_LIFE):
            done += 1
            try:
                life.say[word]()
            except GatewayError:
                continue  # a refusal, which changes nothing
            world.settle()
            witness.look(life.payment)
            if life.payout is not None:
                payouts.add(life.payout["id"])
            for payout in payouts:
                witness.look({"object": "payout", "id": payout})
    witness.delivered()
