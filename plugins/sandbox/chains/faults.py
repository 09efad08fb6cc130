"""The ways in which an endpoint of a chain can fail: what is asked of a call, and what becomes of its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Call = dict[str, Any]
#: Faults of the line: they befall the whole exchange.
LINE = ("lose_answer", "hang_up", "delay", "status", "html", "cut_json", "deep_json")
#: Faults of the node: they change what is asked or answered.
NODE = (
    "error",
    "stale_head",
    "missing_logs",
    "duplicate_logs",
    "shuffle_logs",
    "chain_id",
    "frozen_final",
    "range_limit",
    "drop_sends",
)


class NoSuchFault(ValueError):
    """There is no fault of that name, or it lacks a field."""


@dataclass(kw_only=True)
class Fault:
    """One armed fault: how often (`times`, None for ever), for which `method` (None: any), with what else it takes.

    `delay`: seconds · `status`: code, body, retry_after · `error`: code, message · `stale_head`: behind, in blocks ·
    `missing_logs`: every (2: every second; 1: all) · `chain_id`: value · `frozen_final`: number · `range_limit`:
    blocks.
    """

    kind: str
    method: str | None = None
    times: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in (*LINE, *NODE):
            raise NoSuchFault(f"no fault is called {self.kind}; there are {', '.join((*LINE, *NODE))}")

    def strikes(self, method: str) -> bool:
        """Whether it befalls a call of that method; counted."""
        if self.method not in (None, method) or (self.times is not None and self.struck >= self.times):
            return False
        if self.kind in _METHODS and method not in _METHODS[self.kind]:
            return False
        self.struck += 1
        return True

    def as_document(self) -> dict[str, Any]:
        """What the control API shows."""
        return {
            "fault": self.kind,
            "method": self.method,
            "times": self.times,
            "struck": self.struck,
            "fields": dict(self.fields),
        }


#: What a node's fault is about; others strike whatever is asked.
_METHODS = {
    "stale_head": ("eth_blockNumber", "eth_getBlockByNumber", "eth_getLogs", "eth_getTransactionReceipt"),
    "missing_logs": ("eth_getLogs",),
    "duplicate_logs": ("eth_getLogs",),
    "shuffle_logs": ("eth_getLogs",),
    "chain_id": ("eth_chainId", "net_version"),
    "frozen_final": ("eth_getBlockByNumber",),
    "range_limit": ("eth_getLogs",),
    "drop_sends": ("eth_sendRawTransaction",),
}


def asked_instead(fault: Fault, call: Call, head: Callable[[], int]) -> tuple[Call, Any]:
    """The call to forward, and an answer in its place (None: forward it). `head` reads the true newest height."""
    params = call.get("params") or []
    if fault.kind == "error":
        return call, _error(int(fault.fields.get("code", -32000)), str(fault.fields.get("message", "no")))
    if fault.kind == "range_limit":
        width = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        if width > int(fault.fields["blocks"]):
            return call, _error(-32005, "query returned more than allowed; try a smaller range")
    if fault.kind == "frozen_final" and params and params[0] == "finalized":
        return {**call, "params": [hex(int(fault.fields["number"])), *params[1:]]}, None
    if fault.kind == "stale_head":
        return _in_the_past(call, params, head() - int(fault.fields.get("behind", 1)))
    if fault.kind == "drop_sends":
        return {**call, "method": "web3_sha3"}, None
    return call, None


def _in_the_past(call: Call, params: list[Any], newest: int) -> tuple[Call, Any]:
    method = call.get("method")
    if method == "eth_blockNumber":
        return call, {"result": hex(newest)}
    if method == "eth_getBlockByNumber":
        if params[0] in ("latest", "pending"):
            return {**call, "params": [hex(newest), *params[1:]]}, None
        if params[0] not in ("safe", "finalized", "earliest") and int(params[0], 16) > newest:
            return call, {"result": None}
    return call, None


def answered_instead(fault: Fault, result: Any, head: Callable[[], int]) -> Any:
    """What is answered in place of a result."""
    if fault.kind == "chain_id":
        return hex(int(fault.fields["value"]))
    if fault.kind == "stale_head":
        return _known_by(result, head() - int(fault.fields.get("behind", 1)))
    if not isinstance(result, list):
        return result
    if fault.kind == "missing_logs":
        every = int(fault.fields.get("every", 1))
        return [one for place, one in enumerate(result) if every > 1 and (place + 1) % every]
    if fault.kind == "duplicate_logs":
        return [one for log in result for one in (log, log)]
    if fault.kind == "shuffle_logs":
        return list(reversed(result))
    return result


def _known_by(result: Any, newest: int) -> Any:
    if isinstance(result, list):
        return [log for log in result if int(log["blockNumber"], 16) <= newest]
    if isinstance(result, dict) and "transactionHash" in result:
        return result if int(result["blockNumber"], 16) <= newest else None
    return result


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
