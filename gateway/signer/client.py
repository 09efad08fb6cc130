"""How the rest of the gateway asks for a signature. It knows no key, and can't learn one."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

from gateway.application.interfaces.treasury import AsksSigner, SignerRefused
from gateway.signer.proofs import proof
from ports.chain import Intent, IntentKind, Unsigned
from ports.errors import NotSent

_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerClient(AsksSigner):
    """One connection a request: a signer that was restarted needs nothing of us."""

    path: str
    secret: bytes

    def sign(
        self, sender: str, intent: Intent, unsigned: Unsigned, *, chain_id: int, token: str | None
    ) -> tuple[bytes, str]:
        """The signed bytes and their hash.

        Raises SignerRefused when its rules say no, NotSent when it can't be reached: it may have signed all the same,
        but nothing was sent anywhere, and the same bytes get the same signature.
        """
        said: dict[str, Any] = {
            "kind": intent.kind.value,
            "to": sender if intent.kind is IntentKind.CANCEL else intent.to,
            "units": str(intent.units),
            "data": intent.data.hex(),
            "token": token,
            "nonce": unsigned.nonce,
            "chain_id": chain_id,
        }
        answer = self._asked({"do": "sign", "sender": sender, "content": unsigned.content.hex(), "said": said})
        return bytes.fromhex(answer["raw"]), str(answer["tx"])

    def addresses(self) -> list[str]:
        """The wallets that it has keys for. Raises NotSent."""
        return list(self._asked({"do": "addresses"})["addresses"])

    def _asked(self, what: dict[str, Any]) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(_TIMEOUT_S)
                sock.connect(self.path)
                with sock.makefile("rwb") as line:
                    challenge = json.loads(line.readline())["challenge"]
                    _say(line, {"proof": proof(self.secret, challenge)})
                    if "error" in (ready := json.loads(line.readline())):
                        raise NotSent(f"signer: {ready['error']}")
                    _say(line, what)
                    answer: dict[str, Any] = json.loads(line.readline())
        except (OSError, ValueError, KeyError) as trouble:
            raise NotSent(f"signer: {type(trouble).__name__}") from None
        if "error" in answer:
            raise SignerRefused(str(answer["error"]), str(answer.get("why", "")))
        return answer


def _say(line: Any, what: dict[str, Any]) -> None:
    line.write(json.dumps(what).encode() + b"\n")
    line.flush()
