"""Planted secrets and phone numbers are in no log, answer, event, webhook, dump, Redis or process that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import settings
from gateway.adapters.servers import RunningPostgres, RunningValkey
from gateway.bootstrap import Gateway
from tests.secrets.needles import Needle, found, phone, secret
from tests.secrets.places import dump, redis_content, shown_by_proc
from tests.secrets.planted import Planted
from tests.secrets.traffic import Traffic
from tests.servers import Database, Databases
from tests.stack import PROCESSES, a_receiver, a_stack

pytestmark = pytest.mark.crash


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was planted, and each place's content."""

    needles: list[Needle]
    places: Mapping[str, bytes]
    traffic: Traffic
    journal: bytes


@pytest.fixture(scope="module")
def run(
    databases: Databases, migrated: Database, valkey: RunningValkey, postgres: RunningPostgres, scratch: Path
) -> Iterator[Run]:
    planted, folder = Planted(), scratch / "secrets"
    server_log = postgres.process.log
    begins = server_log.stat().st_size
    with (
        databases.fresh(migrated.name) as database,
        a_receiver() as receiver,
        a_stack(
            database, valkey.url_for(6), folder, changed=planted.environment(scratch / "given"), world=planted.world()
        ) as stack,
        closing(Gateway(settings=settings.read(stack.environment), role="operator")) as operator,
    ):
        traffic = Traffic(stack=stack, receiver=receiver, operator=operator)
        traffic.everything()
        traffic.settled()
        needles = [secret(name, text) for name, text in {**planted.texts(), **traffic.secrets}.items()]
        needles += [phone(name, number) for name, number in traffic.phones.items()]
        places = {
            "answers": traffic.answers().encode(),
            "errors": "\n".join(traffic.errors).encode(),
            "webhooks": b"\n".join(body for _, body in receiver.received),
            "dump": dump(database),
            "Redis": redis_content(valkey.url_for(6)),
            "the server's log": server_log.read_bytes()[begins:],
            **{f"/proc of {name}": shown_by_proc(stack.processes[name].pid) for name in PROCESSES},
        }
        journal = stack.control.lines()
        stack.check_books()
        stack.stop()
        places |= {f"log of {path.stem}": path.read_bytes() for path in folder.glob("*.log")}
        yield Run(needles=needles, places=places, traffic=traffic, journal=journal)


def test_j8_no_place_shows_a_planted_secret_or_number(run: Run) -> None:
    hits = found(run.needles, run.places)
    assert hits == []


def test_the_search_is_over_what_happened(run: Run) -> None:
    """A search of empty places proves nothing."""
    least = {"answers": 100_000, "errors": 5_000, "webhooks": 50_000, "dump": 500_000, "Redis": 100}
    for place, size in least.items():
        assert len(run.places[place]) >= size, (place, len(run.places[place]))
    for name in PROCESSES:
        assert b"GATEWAY_MASTER_KEY_FILE=" in run.places[f"/proc of {name}"]
        assert run.places[f"log of {name}"], name
    assert len(run.traffic.phones) > 90
    assert len(run.needles) > 170
    assert "•" in run.places["webhooks"].decode(), "numbers are told of, masked"


def test_the_search_finds_what_the_provider_was_told(run: Run) -> None:
    """The same needles in the same run, where they belong: the numbers that were called are found."""
    told = {name for _, name, _ in found(run.needles, {"journal": run.journal})}
    assert {name for name in run.traffic.phones if ", pay" in name} <= told
