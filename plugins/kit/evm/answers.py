"""What a node's refusal means. Codes and texts differ from node to node; one that nobody knows is an unknown outcome.

Texts are those of geth, op-geth, bor, Erigon, Nethermind, reth and anvil, read in their sources and answers in 2026.
"""

from __future__ import annotations

from ports.chain import CannotSend
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.report import Failure, FailureKind, TryAgain

#: JSON-RPC's own code for a call that would revert (EIP-1474 left it to custom; geth chose 3).
_REVERTED = 3
#: Longer texts are cut: they may quote the whole transaction.
_TEXT_MAX = 120

_TAKEN = ("already known", "already imported", "alreadyknown", "already exists", "nonce too low")
_UNDERPRICED = (
    "underpriced",
    "less than block base fee",
    "max fee per gas less than",
    "gas price below minimum",
    "below the minimum",
    "tip cap",
    "fee too low",
    "feetoolow",
    "fee cap less than",
)
_NO_COIN = ("insufficient funds", "insufficient balance for transfer", "insufficientfunds")
_TOO_HIGH = ("nonce too high", "nonce gap", "noncegap")
_OTHER_CHAIN = ("invalid chain id", "incorrect chainid", "chain id mismatch", "wrong chain id", "invalid sender")
_REVERT_TEXTS = ("execution reverted", "vm exception", "revert")

NO_GAS_COIN_WAIT_S = 60
#: The code of a Refused that a contract spoke.
REVERTED = "reverted"


class NodeRefused(Exception):
    """A node answered with an error of JSON-RPC."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{code}: {message[:_TEXT_MAX]}")
        self.code = code
        self.message = message
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether the contract itself said no, in a call or an estimate."""
        text = self.message.lower()
        return self.code == _REVERTED or any(words in text for words in _REVERT_TEXTS)


class WrongChain(Misconfigured):
    """An endpoint is of another chain."""


def send_error(refused: NodeRefused) -> PortError:
    """What a node's refusal of a signed transaction means."""
    text = refused.message.lower()
    # An old word of the same meaning, which stands inside of "unknown transaction type" too.
    if _any(text, _TAKEN) or text.startswith("known transaction"):
        return AlreadyTaken(f"the node says: {text[:_TEXT_MAX]}")
    if _any(text, _UNDERPRICED):
        return NotSent(CannotSend.UNDERPRICED)
    if _any(text, _NO_COIN):
        return NotSent(CannotSend.NO_GAS_COIN, retry_after_s=NO_GAS_COIN_WAIT_S)
    if _any(text, _TOO_HIGH):
        return NotSent(CannotSend.NONCE_TOO_HIGH)
    if _any(text, _OTHER_CHAIN):
        return WrongChain("broadcast: the node is of another chain, or can't read the signature")
    return OutcomeUnknown(f"broadcast: the node says {refused}")


def dry_run_error(refused: NodeRefused) -> PortError:
    """What a node's refusal of an estimate means."""
    text = refused.message.lower()
    # A revert may carry the contract's own words, and those may speak of funds.
    if refused.reverted:
        return Refused(
            Failure(
                kind=FailureKind.OTHER,
                provider_code=REVERTED,
                detail=_reason(refused),
                try_again=TryAgain.LATER,
            )
        )
    if _any(text, _NO_COIN):
        return NotSent(CannotSend.NO_GAS_COIN, retry_after_s=NO_GAS_COIN_WAIT_S)
    return OutcomeUnknown(f"dry run: the node says {refused}")


def _reason(refused: NodeRefused) -> str:
    """The contract's word where it gave one (`Error(string)`), else the selector of its error."""
    data = refused.data
    if not isinstance(data, str) or len(data) < 10:
        return refused.message[:_TEXT_MAX]
    if not data.startswith("0x08c379a0"):
        return data[:10]
    try:
        body = bytes.fromhex(data[10:])
        length = int.from_bytes(body[32:64], "big")
        return body[64 : 64 + length].decode("utf-8", "replace")[:_TEXT_MAX]
    except ValueError:
        return data[:10]


def _any(text: str, words: tuple[str, ...]) -> bool:
    return any(one in text for one in words)
