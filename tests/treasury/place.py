"""The gateway with a treasury: a local node, the simulated Swypt on it, a watcher, a signer, and the usual stack."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from gateway.adapters.servers import spawn
from gateway.application.operators import Act
from gateway.bootstrap import Gateway
from gateway.domain.ids import Prefix, encode
from gateway.settings import read
from plugins.sandbox.chains.contracts import DEPLOYER
from plugins.sandbox.chains.deployment import Deployed, endow, put_on
from plugins.sandbox.chains.node import RICH_KEY, LocalNode, running_nodes
from plugins.sandbox.swypt.world import SandboxSwypt
from tests.servers import Database
from tests.stack import Stack, a_stack
from tests.waiting import eventually

ACT = Act(actor="tests", reason="a treasury of its own")
#: The public second key of every local node.
WALLET_KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
WALLET = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
SECRET = "a secret between signer and workers"
SYMBOL = {"celo": "USDT", "polygon": "USDT", "base": "USDC"}


@dataclass(slots=True, kw_only=True)
class Place:
    """What a test needs of it."""

    stack: Stack
    node: LocalNode
    deployed: Deployed
    swypt: SandboxSwypt
    folder: Path
    network: str
    connections: dict[str, str]

    @property
    def code(self) -> str:
        """The token that it works with."""
        return f"{SYMBOL[self.network]}.{self.network}"

    def mine(self, blocks: int = 12) -> None:
        """Let the chain settle what it has."""
        self.node.controls.mine(blocks)

    def held(self, address: str = WALLET) -> int:
        """Tokens that an address has by the chain itself."""
        return int(self.deployed.tokens[self.code].ask("balanceOf", address))

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the database holds, past every policy."""
        with psycopg.connect(self.stack.database.url("owner").replace("+psycopg", ""), autocommit=True) as conn:
            conn.execute("SET row_security = off")
            return conn.execute(sql, values or None).fetchall()

    def trouble(self) -> dict[str, Any]:
        """What to look at when something never comes."""
        return {
            "conversions": self.rows(
                "SELECT state, tx, held_for, sends, look_ups, token_units, got_units FROM gateway.conversion"
            ),
            "sightings": self.rows("SELECT state, tx, block, units, incoming FROM gateway.sighting"),
            "cursors": self.rows("SELECT number, final_number, held FROM gateway.chain_cursor"),
            "transfers": self.rows("SELECT state, step, nonce, failure FROM gateway.chain_transfer"),
            "alerts": self.rows("SELECT kind, detail FROM gateway.alert"),
            "watcher": (self.stack.logs / "watcher.log").read_text()[-1500:],
            "worker": (self.stack.logs / "worker.log").read_text()[-1500:],
        }

    def books(self) -> dict[str, int]:
        """Path and asset → debits less credits, where that isn't zero."""
        gateway = Gateway(settings=read(self.stack.environment), role="operator")
        try:
            lines = gateway.ledger.trial_balance(livemode=False)
        finally:
            gateway.close()
        return {f"{line.path} {line.asset}": line.dr - line.cr for line in lines if line.dr != line.cr}

    def gateway_command(self, *words: str) -> None:
        """Run a command of the gateway; it must succeed."""
        log = self.folder / "command.log"
        process = spawn(
            "command", [sys.executable, "-m", "gateway", *words], log=log, env=self.stack.environment, cwd=Path.cwd()
        )
        status = eventually(lambda: None if process.status is None else str(process.status), within_s=30)
        assert status == "0", log.read_text()


@contextmanager
def a_treasury(
    database: Database, redis_url: str, folder: Path, network: str = "celo", *, escrow: str = "B"
) -> Iterator[Place]:
    """All of it, running; collections go over Swypt, and payouts too."""
    with ExitStack() as cleanup:
        nodes = cleanup.enter_context(running_nodes(folder / "chains", network, block_time_s=1))
        node = nodes[network]
        deployed = put_on(node.controls, network, escrow=escrow)
        endow(deployed, node.controls, DEPLOYER, whole=1_000_000)
        node.controls.give_coins(WALLET, 10**20)
        node.controls.mine(12)
        swypt = SandboxSwypt(
            state_dir=folder / "swypt", networks={network: _network(node, deployed, network)}, settings=QUICK
        )
        swypt.start()
        cleanup.callback(swypt.stop)
        changed = {
            "GATEWAY_PLUGINS": f"mpesa,swypt,{network}",
            "GATEWAY_SIGNER_SOCKET": str(folder / "signer.sock"),
            "GATEWAY_SIGNER_SECRET": SECRET,
        }
        stack = cleanup.enter_context(
            a_stack(database, redis_url, folder / "stack", start=(), changed=lambda env: {**env, **changed})
        )
        connections = _connect(stack, node, deployed, swypt, network)
        _sign(stack, deployed, node, folder)
        for name in ("serve", "worker", "relay", "watcher"):
            stack.start(name)
        yield Place(
            stack=stack,
            node=node,
            deployed=deployed,
            swypt=swypt,
            folder=folder,
            network=network,
            connections=connections,
        )


QUICK = {"scripted_answer_s": 0.1, "settle_s": 0.05, "payout_s": 0.1, "magic_numbers": False, "autopilot_ms": 50}


def _network(node: LocalNode, deployed: Deployed, network: str) -> dict[str, Any]:
    tokens = [
        {"symbol": code.partition(".")[0], "decimals": token.ask("decimals"), "address": token.address}
        for code, token in deployed.tokens.items()
    ]
    return {"rpc": node.url, "key": RICH_KEY, "escrow": deployed.escrow.address, "tokens": tokens}


def _connect(stack: Stack, node: LocalNode, deployed: Deployed, swypt: SandboxSwypt, network: str) -> dict[str, str]:
    """The chain, the wallet, the on-ramp and the off-ramp; M-Pesa's own connections are set aside."""
    gateway = Gateway(settings=read(stack.environment), role="operator")
    code = f"{SYMBOL[network]}.{network}"
    token = deployed.tokens[code]
    try:
        for one in gateway.directory.connections():
            gateway.desk.pause_connection(one.id, ACT)
        pocket = gateway.desk.add_float("Treasury", livemode=False, act=ACT)
        chain = gateway.connect(
            f"{network}_rpc",
            "Node",
            pocket.id,
            {"endpoint_1": node.url, **deployed.settings()},
            livemode=False,
            act=ACT,
        )
        wallet = gateway.wallet_service.add(chain.id, WALLET, "Pool", ACT)
        shared = {
            "base_url": swypt.url,
            "api_key": "5a" * 16,
            "api_secret": "c3" * 32,
            "project": "duka",
            "network": network,
            "asset": code,
            "token_address": token.address,
            "token_decimals": str(token.ask("decimals")),
            "wallet_address": WALLET,
        }
        rail = gateway.connect("swypt_onramp", "On-ramp", pocket.id, shared, livemode=False, act=ACT)
        more = {"escrow_address": deployed.escrow.address, "escrow_abi": deployed.escrow.name[-1]}
        channel = gateway.connect("swypt_offramp", "Off-ramp", pocket.id, {**shared, **more}, livemode=False, act=ACT)
    finally:
        gateway.close()
    return {
        "chain": encode(Prefix.CONNECTION, chain.id),
        "rail": encode(Prefix.CONNECTION, rail.id),
        "channel": encode(Prefix.CONNECTION, channel.id),
        "wallet": encode(Prefix.WALLET, wallet.id),
    }


def _sign(stack: Stack, deployed: Deployed, node: LocalNode, folder: Path) -> None:
    """A signer whose rules allow what the off-ramp needs, and nothing else."""
    home = folder / "signer"
    home.mkdir(mode=0o700)
    escrow = deployed.escrow.address.lower()
    selectors = ("5727612d", "e198e9f8", "68dbfe8e")
    rules = {
        "chains": {
            str(node.kind.chain_id): {
                "fee_per_tx": str(10**18),
                "fee_per_day": str(10**20),
                "tokens": {
                    one.address.lower(): {"per_tx": str(10**30), "per_day": str(10**30)}
                    for one in deployed.tokens.values()
                },
                "spenders": [escrow],
                "calls": {escrow: {selector: {"token_word": 0, "amount_word": 1} for selector in selectors}},
            }
        }
    }
    (home / "rules.json").write_text(json.dumps(rules))
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")},
        "GATEWAY_SIGNER_FOLDER": str(home),
        "GATEWAY_SIGNER_KEY": base64.b64encode(b"k" * 32).decode(),
        "GATEWAY_SIGNER_SECRET": SECRET,
        "GATEWAY_SIGNER_SOCKET": str(folder / "signer.sock"),
    }
    import subprocess

    taken = subprocess.run(
        [sys.executable, "-m", "gateway.signer", "key", "import"],
        input=WALLET_KEY + "\n",
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    )
    assert taken.stdout.strip() == WALLET
    stack.processes["signer"] = spawn(
        "signer",
        [sys.executable, "-m", "gateway.signer", "run"],
        log=folder / "signer.log",
        env=environment,
        cwd=Path.cwd(),
    )
    eventually(lambda: (folder / "signer.sock").exists(), within_s=10, every_s=0.05)
