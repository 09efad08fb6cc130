"""The test contracts: their committed artefacts, how they are deployed, and how their functions are called."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from plugins.sandbox.chains.controls import Controls

_ARTEFACTS = Path(__file__).parent / "contracts" / "artefacts.json"
#: The first of a local node's rich accounts; it deploys, and so it runs the escrows.
DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


class CallFailed(Exception):
    """A transaction that had to go through was reverted."""


@cache
def artefacts() -> dict[str, Any]:
    """Name to `abi`, `bytecode`, `runtime` and `selectors`."""
    found: dict[str, Any] = json.loads(_ARTEFACTS.read_text())["contracts"]
    return found


class Contract:
    """A contract at its place on one node."""

    def __init__(self, name: str, address: str, controls: Controls) -> None:
        self.name = name
        self.address = address.lower()
        self._controls = controls
        self._functions = artefacts()[name]["selectors"]

    def encoded(self, function: str, *arguments: Any) -> str:
        """Selector and arguments. `function` is the bare name, or the whole signature where names are shared."""
        signature = next(one for one in self._functions if function in (one, one.partition("(")[0]))
        return f"0x{self._functions[signature]}{_encoded(_types(signature), arguments)}"

    def do(self, function: str, *arguments: Any, sender: str = DEPLOYER) -> dict[str, Any]:
        """Call it in a transaction of its own, mined now; gives the receipt. Raises CallFailed."""
        tx = self.send(function, *arguments, sender=sender)
        receipt = self._controls.mined(tx)
        if int(receipt["status"], 16) != 1:
            raise CallFailed(f"{self.name}.{function} was reverted")
        return receipt

    def send(self, function: str, *arguments: Any, sender: str = DEPLOYER) -> str:
        """Send it, whatever comes of it; gives the hash."""
        return self._controls.send(sender, self.address, self.encoded(function, *arguments))

    def ask(self, function: str, *arguments: Any) -> int:
        """What a function gives that gives one number, address or yes or no, as a number."""
        body = {"to": self.address, "data": self.encoded(function, *arguments)}
        return int(self._controls.rpc("eth_call", body, "latest"), 16)


def deploy(controls: Controls, name: str, *arguments: Any) -> Contract:
    """Put a contract on the node, mined now."""
    made = artefacts()[name]
    takes: list[dict[str, str]] = next((one["inputs"] for one in made["abi"] if one["type"] == "constructor"), [])
    data = made["bytecode"] + _encoded([one["type"] for one in takes], arguments)
    receipt = controls.mined(controls.send(DEPLOYER, None, data, gas=6_000_000))
    if int(receipt["status"], 16) != 1:
        raise CallFailed(f"{name} was not deployed")
    return Contract(name, receipt["contractAddress"], controls)


def _types(signature: str) -> list[str]:
    inside = signature[signature.index("(") + 1 : -1]
    return inside.split(",") if inside else []


def _encoded(types: list[str], values: tuple[Any, ...]) -> str:
    # Imported where it is first used: a sandbox without chains needs none of it.
    from eth_abi.abi import encode

    return encode(types, list(values)).hex()
