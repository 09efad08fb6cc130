"""Reading a chain against plain JSON-RPC over the same blocks; building, signing and sending from one wallet.

The ceiling of reading is one connection that stays open, the same questions in the same batches, and `json.loads`:
nothing is decoded, and nothing held against anything.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from plugins.kit.evm.line import EvmChain
from plugins.kit.evm.words import TRANSFER, topic
from plugins.sandbox.chains.deployment import put_on
from plugins.sandbox.chains.node import KINDS, LocalNode
from ports.chain import Intent, IntentKind, Unsigned
from tests.contract.chain import CAP, OURS, PAYER, sign
from tests.plugins.chains.bench import Bench

CODE = "USDC.celo"
BLOCKS, LOGS, SENDS, ROUNDS = 100, 50, 400, 9


def run() -> list[dict[str, Any]]:
    """Rows for the table."""
    with _bench() as bench:
        return [_ready(), _scanning(bench), *_sending(bench)]


@contextmanager
def _bench() -> Iterator[Bench]:
    with TemporaryDirectory(prefix="bench-chains-") as folder, LocalNode(KINDS["celo"], Path(folder)) as node:
        bench = Bench(node=node, deployed=put_on(node.controls, "celo"), proxies=[])
        for one in (OURS, PAYER):
            node.controls.give_coins(one, 10**24)
            bench.mint(CODE, one, 10**15)
        yield bench


def _line(bench: Bench) -> EvmChain:
    """Straight to the node: the endpoint that fails is no part of what is measured."""
    return bench.line(endpoint_1=bench.node.url)


def _ready() -> dict[str, Any]:
    with TemporaryDirectory(prefix="bench-chains-") as folder:
        taken = []
        for network, kind in KINDS.items():
            node = LocalNode(kind, Path(folder) / network)
            taken.append(_seconds(node.start))
            node.stop()
    return {"name": "a local node is ready", "ours": f"{max(taken) * 1000:.0f} ms at most"}


def _scanning(bench: Bench) -> dict[str, Any]:
    token, since = bench.deployed.tokens[CODE], bench.controls.height + 1
    for _ in range(BLOCKS):
        token.do("transferMany", [OURS] * LOGS, 1, sender=PAYER)
    until, line = bench.controls.height, _line(bench)
    found = line.transfers(since, until, [token.address], [OURS]).transfers
    logs = len(found)
    plain = _Plain(bench.node.url)
    # One after the other, and the best of each: a busy neighbour slows a moment, never hastens one.
    pairs = [
        (
            _seconds(lambda: line.transfers(since, until, [token.address], [OURS])),
            _seconds(lambda: plain.read(since, until, token.address, sorted({one.tx for one in found}))),
        )
        for _ in range(ROUNDS)
    ]
    ours, ceiling = (min(times) for times in zip(*pairs, strict=True))
    return {
        "name": f"reading {logs:,} transfers in {BLOCKS} blocks",
        "ours": f"{logs / ours:,.0f} transfers/s",
        "ceiling": f"{logs / ceiling:,.0f} transfers/s",
        "ratio": ceiling / ours,
        "aim": "0.70",
        "wrong": int(logs != BLOCKS * LOGS),
    }


def _sending(bench: Bench) -> list[dict[str, Any]]:
    line, intent = _line(bench), Intent(kind=IntentKind.TRANSFER, asset=CODE, to=PAYER, units=1, fee_cap_units=CAP)
    nonce = iter(range(10**6))

    def build() -> Unsigned:
        return line.build(intent, OURS, next(nonce))

    def all_of_it(_: int) -> str:
        return line.broadcast(sign(build()))

    # Blocks by the clock: a block for each transaction would measure the node.
    bench.controls.every(1)
    made = [build() for _ in range(SENDS)]
    rates = [("signing and sending, one wallet", lambda: _each(lambda one: line.broadcast(sign(one)), made), "300/s")]
    rows = [_rate(name, act, aim) for name, act, aim in rates]
    rows.append(_rate("building, signing and sending", lambda: _each(all_of_it, range(SENDS)), ""))
    rows.append(_rate("the same, four threads", lambda: _each(all_of_it, range(SENDS), threads=4), ""))
    sent = 3 * SENDS
    bench.controls.go_on()
    rows[-1]["wrong"] = int(line.balances([OURS], [])[0].sent != sent)
    return rows


def _rate(name: str, act: Callable[[], None], aim: str) -> dict[str, Any]:
    return {"name": name, "ours": f"{SENDS / _seconds(act):,.0f}/s", "aim": aim}


def _each(act: Callable[[Any], object], items: Sequence[Any], threads: int = 1) -> None:
    if threads == 1:
        for one in items:
            act(one)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(act, items))


def _seconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


@dataclass(slots=True)
class _Plain:
    """JSON-RPC and no more."""

    url: str

    def read(self, since: int, until: int, token: str, txs: Sequence[str]) -> None:
        line = http.client.HTTPConnection(self.url.removeprefix("http://"))
        heights = [("eth_getBlockByNumber", [hex(one), False]) for one in range(since, until + 1)]
        self._ask(line, [("eth_chainId", []), *heights])
        where = {"fromBlock": hex(since), "toBlock": hex(until), "address": [token]}
        self._ask(
            line,
            [
                ("eth_getLogs", [{**where, "topics": [TRANSFER, None, [topic(OURS)]]}]),
                ("eth_getLogs", [{**where, "topics": [TRANSFER, [topic(OURS)]]}]),
            ],
        )
        self._ask(line, [("eth_getTransactionReceipt", [tx]) for tx in txs])
        line.close()

    def _ask(self, line: http.client.HTTPConnection, calls: Sequence[tuple[str, list[Any]]]) -> None:
        body = [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": params}
            for place, (method, params) in enumerate(calls)
        ]
        line.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        json.loads(line.getresponse().read())
