"""Plain JSON-RPC to a node of one's own, for the sandbox's hands: no faults, no failover."""

from typing import Any

import requests


class RpcFailed(Exception):
    """The node did not do it; the message is the node's."""


class Rpc:
    """One node. Not to be shared between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def __call__(self, method: str, *params: Any, timeout_s: float = 30) -> Any:
        """One call's result. Raises RpcFailed."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            found = self._session.post(self.url, json=body, timeout=timeout_s).json()
        except (requests.RequestException, ValueError) as trouble:
            raise RpcFailed(f"{method}: {type(trouble).__name__}") from trouble
        if not isinstance(found, dict) or "error" in found:
            raise RpcFailed(f"{method}: {found.get('error') if isinstance(found, dict) else found}")
        return found.get("result")

    def close(self) -> None:
        self._session.close()
