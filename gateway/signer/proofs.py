"""How a caller proves that it knows the shared secret, without sending it."""

from __future__ import annotations

import hmac


def proof(secret: bytes, challenge: str) -> str:
    """What answers a challenge."""
    return hmac.digest(secret, b"gateway signer " + challenge.encode(), "sha256").hex()
