"""The signer's door: a socket on this machine, for one user, behind a shared secret; a line in, a line out."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import socketserver
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from gateway.signer.keys import KeyTrouble
from gateway.signer.proofs import proof
from gateway.signer.service import NotSigned, Signer

#: A request's longest line, in bytes.
LINE_MAX = 262_144
_IDLE_S = 30.0

_log = structlog.get_logger("gateway.signer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`uids` may connect; `secret` is what they prove to know, without sending it."""

    uids: frozenset[int]
    secret: bytes


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, signer: Signer, door: Door) -> None:
        self.signer, self.door = signer, door
        super().__init__(str(path), _Caller)


class _Caller(socketserver.StreamRequestHandler):
    """One connection: the peer's user is asked of the kernel, then it answers a challenge, then it may ask."""

    server: _Server
    timeout = _IDLE_S

    def handle(self) -> None:
        if self._peer_uid() not in self.server.door.uids:
            _log.warning("signer_stranger", uid=self._peer_uid())
            return
        challenge = secrets.token_hex(32)
        try:
            self._say({"challenge": challenge})
            answer = self._hear()
            expected = proof(self.server.door.secret, challenge)
            if answer is None or not hmac.compare_digest(str(answer.get("proof", "")), expected):
                self._say({"error": "not_proved", "why": "the shared secret isn't known"})
                _log.warning("signer_not_proved")
                return
            self._say({"ready": True})
            while (asked := self._hear()) is not None:
                self._say(self._answer(asked))
        except (OSError, ValueError):
            return  # The peer went, or doesn't speak this.

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        signer = self.server.signer
        try:
            if asked.get("do") == "addresses":
                return {"addresses": signer.keys.addresses()}
            if asked.get("do") == "sign":
                raw, tx = signer.sign(str(asked["sender"]), bytes.fromhex(asked["content"]), dict(asked["said"]))
                return {"raw": raw.hex(), "tx": tx}
        except (NotSigned, KeyTrouble) as no:
            return {"error": getattr(no, "code", "key"), "why": str(no)}
        except (KeyError, TypeError, ValueError) as wrong:
            return {"error": "unreadable", "why": type(wrong).__name__}
        except Exception as fault:
            # The process's edge: a full disk, say. Nothing was signed, since the book comes first.
            _log.error("signer_fault", exc_info=fault)
            return {"error": "fault", "why": type(fault).__name__}
        return {"error": "unknown", "why": "it can be asked to sign, and for its addresses"}

    def _peer_uid(self) -> int:
        if not hasattr(socket, "SO_PEERCRED"):
            return os.getuid()  # Elsewhere the folder's mode alone says who may connect.
        found = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", found)[1])

    def _hear(self) -> dict[str, Any] | None:
        line = self.rfile.readline(LINE_MAX + 1)
        if not line.endswith(b"\n"):
            return None
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("a request is an object")
        return found

    def _say(self, what: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(what).encode() + b"\n")


def serve(path: Path, signer: Signer, door: Door) -> _Server:
    """Listen; the caller runs `serve_forever`. A socket left by a dead signer is taken over, a live one's is not."""
    if path.exists():
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(path))
            except OSError:
                path.unlink(missing_ok=True)
            else:
                raise RuntimeError(f"another signer listens at {path.name}")
    before = os.umask(0o177)
    try:
        return _Server(path, signer, door)
    finally:
        os.umask(before)
