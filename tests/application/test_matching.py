"""Two hundred sums as people type their references: every one that is matched is right, the rest wait."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.application.harness import World
from tests.application.places import Place

#: Ways of typing that mean the reference and nothing else.
FAITHFUL: tuple[Callable[[str], str], ...] = (
    lambda r: r,
    str.lower,
    lambda r: f"  {r} ",
    lambda r: r.replace("0", "O"),
    lambda r: r.replace("1", "I"),
    lambda r: r.replace("1", "l"),
    lambda r: r.title(),
)
#: Ways that may mean another, or nobody: none of them may be matched.
UNFAITHFUL: tuple[Callable[[str], str], ...] = (
    lambda r: r[:-1],
    lambda r: r + "X",
    lambda r: r[:-2] + r[-1] + r[-2] if r[-1] != r[-2] else r + "2",
    lambda r: r.replace("-", ""),
    lambda r: r.replace("-", " - "),
    lambda r: r[:-3] + "***",
    lambda r: "ACC " + r,
    lambda _: "0712345678",
    lambda _: "2547***678",
    lambda _: "",
)


def test_two_hundred_typed_references(world: World) -> None:
    chance = random.Random(20_261_124)
    place = Place(world)
    wanted: list[tuple[str, str]] = []
    for _ in range(20):
        payment = world.payment(1_000_000)
        place.confirm(payment)
        wanted.append((payment["id"], world.reference(payment)))
    references = {reference for _, reference in wanted}
    meant: dict[str, str] = {}
    for at in range(200):
        payment_id, reference = chance.choice(wanted)
        if at % 5 < 3:
            typed = chance.choice(FAITHFUL)(reference)
            meant[place.rail.paid(100, typed).receipt_number or ""] = payment_id
        else:
            typed = chance.choice(UNFAITHFUL)(reference)
            assert typed not in references
            place.rail.paid(100, typed)
    place.pull()
    booked = {
        receipt["receipt_number"]: payment_id
        for payment_id, _ in wanted
        for receipt in world.see({"object": "payment", "id": payment_id})["receipts"]
    }
    assert booked == meant
    assert len(meant) == 120
    assert {r["receipt_number"] for r in place.loose()} == {m.receipt_number for m in place.rail.money} - meant.keys()


def test_references_that_look_alike_are_nobody_s(world: World) -> None:
    place, first, second = Place(world), world.payment(), world.payment()
    for payment in (first, second):
        place.confirm(payment)
    world.run_sql("UPDATE gateway.attempt SET reference = 'ZZ-AB10AB' WHERE reference = :r", r=world.reference(first))
    world.run_sql("UPDATE gateway.attempt SET reference = 'ZZ-ABIOAB' WHERE reference = :r", r=world.reference(second))
    place.proved(150_000, "ZZ-AB10AB")
    assert [world.see(p)["status"] for p in (first, second)] == ["requires_action"] * 2
    assert len(place.loose()) == 1
