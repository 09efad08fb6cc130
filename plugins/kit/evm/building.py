"""From what is wanted to the bytes to sign: the call, its dry run, its gas and its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugins.kit.evm.answers import NO_GAS_COIN_WAIT_S, NodeRefused, dry_run_error
from plugins.kit.evm.encoding import Fields, unsigned
from plugins.kit.evm.facts import Fees, Network
from plugins.kit.evm.node import Call, Node, block_call
from plugins.kit.evm.reading import address_of
from plugins.kit.evm.words import address, bytes_argument, call_data, number, quantity, word_at
from plugins.kit.http import Budget
from ports.chain import CannotSend, Intent, IntentKind, Unsigned
from ports.errors import Misconfigured, NotSent, Refused
from ports.report import Failure, FailureKind, TryAgain

#: What a replacement must pay of what it replaces, in eighths: nodes ask for 10 % more, and 12.5 % is safe.
_BUMP = (9, 8)
#: An estimate is of one moment: a fifth is added.
_GAS_MARGIN = (6, 5)
#: The layer below may dearen until the transaction is mined: a quarter is added.
_L1_MARGIN = (5, 4)
#: What was tipped in the middle of each of the last twenty blocks.
_HISTORY: Call = ("eth_feeHistory", ["0x14", "latest", [50]])
_NOBODY = "0x" + "00" * 20
#: A signature and its lengths, which the layer below carries too.
_SIGNATURE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A call as the machine makes it."""

    sender: str
    to: str
    value: int
    data: bytes

    def for_node(self, fee_currency: str | None) -> dict[str, object]:
        """The object of `eth_estimateGas`."""
        said: dict[str, object] = {"from": self.sender, "to": self.to, "data": "0x" + self.data.hex()}
        if self.value:
            said["value"] = quantity(self.value)
        return said if fee_currency is None else {**said, "feeCurrency": fee_currency}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Per unit of gas, and what one unit of the fee currency is worth in the coin, as a fraction."""

    tip: int
    max_fee: int
    worth: tuple[int, int] = (1, 1)


def wanted(intent: Intent, sender: str, network: Network) -> Wanted:
    """The call that an intent means. Raises Refused for a recipient that can't be meant, ValueError for a bad asset."""
    said = network.capabilities
    own, native = address(sender), intent.asset == said.native.code
    if intent.kind is IntentKind.CANCEL:
        return Wanted(sender=own, to=own, value=0, data=b"")
    to = _recipient(intent.to)
    if intent.kind is IntentKind.CALL:
        return Wanted(sender=own, to=to, value=intent.units if native else 0, data=intent.data)
    if native:
        if intent.kind is IntentKind.APPROVE:
            raise ValueError("nobody approves of spending a native coin")
        return Wanted(sender=own, to=to, value=intent.units, data=b"")
    token = address_of(said, intent.asset)
    if to == token:
        raise _refused(FailureKind.DESTINATION_INVALID, "the token itself", TryAgain.NEVER)
    what = "transfer(address,uint256)" if intent.kind is IntentKind.TRANSFER else "approve(address,uint256)"
    return Wanted(sender=own, to=token, value=0, data=call_data(what, to, intent.units))


def _recipient(text: str) -> str:
    try:
        found = address(text)
    except ValueError as wrong:
        raise _refused(FailureKind.DESTINATION_INVALID, str(wrong), TryAgain.NEVER) from None
    if found == _NOBODY:
        raise _refused(FailureKind.DESTINATION_INVALID, "the zero address", TryAgain.NEVER)
    return found


def build(
    node: Node,
    network: Network,
    call: Wanted,
    nonce: int,
    fee_cap_units: int,
    above: Unsigned | None,
    gas_in: str | None,
    budget: Budget,
) -> Unsigned:
    """Dry run, price and encode. `gas_in` is the asset that pays for gas, None for the coin.

    Raises Refused (the dry run reverts, the fee passes the cap), NotSent (the sender can't pay for it) and what nodes
    raise.
    """
    currency = network.fee_currencies[gas_in] if gas_in else None
    estimate, price, coin = _asked(node, network.fees, call, currency, budget)
    fees = network.fees
    gas = _up(estimate, _GAS_MARGIN)
    if above is not None:
        gas = max(gas, above.gas)
        price = replacing(price, above)
    if gas > fees.gas_max:
        raise _refused(FailureKind.OVER_LIMIT, f"{gas} units of gas, at most {fees.gas_max}", TryAgain.LATER)
    fields = Fields(
        chain_id=network.capabilities.chain_id,
        nonce=nonce,
        tip=price.tip,
        max_fee=price.max_fee,
        gas=gas,
        to=call.to,
        value=call.value,
        data=call.data,
        fee_currency=currency,
    )
    content = unsigned(fields)
    most = -(-gas * price.max_fee * price.worth[0] // price.worth[1]) + _below(node, fees, content, budget)
    if most > fee_cap_units:
        raise _refused(FailureKind.OVER_LIMIT, f"fees of {most}, at most {fee_cap_units}", TryAgain.LATER)
    if coin < call.value + (most if currency is None else 0):
        raise NotSent(CannotSend.NO_GAS_COIN, retry_after_s=NO_GAS_COIN_WAIT_S)
    return Unsigned(content=content, nonce=nonce, gas=gas, tip=price.tip, max_fee=price.max_fee, fee_units_max=most)


def _asked(node: Node, fees: Fees, call: Wanted, currency: str | None, budget: Budget) -> tuple[int, Price, int]:
    """The estimate, the price and the sender's coins, of one moment of one endpoint."""
    in_currency: list[object] = [] if currency is None else [currency]
    calls: list[Call] = [
        ("eth_chainId", []),
        block_call("latest"),
        ("eth_getBalance", [call.sender, "latest"]),
        ("eth_estimateGas", [call.for_node(currency), "latest"]),
        ("eth_maxPriorityFeePerGas", in_currency),
    ]
    calls += [("eth_gasPrice", []), ("eth_gasPrice", in_currency)] if currency else []
    calls += [_HISTORY] if fees.tip_from_history else []
    chain_id, block, coin, estimate, tip, *more = node.ask(calls, budget)
    node.same_chain(_sure(chain_id))
    if isinstance(estimate, NodeRefused):
        raise dry_run_error(estimate)
    base, worth = number(_sure(block)["baseFeePerGas"]), (1, 1)
    if currency:
        worth = (number(_sure(more[0])), number(_sure(more[1])))
        base = number(_sure(more[1]))
    lately = _median(more[-1]) if fees.tip_from_history else 0
    # A node without a suggestion of its own has none to give: the floor and what was paid lately are left.
    suggested = 0 if isinstance(tip, NodeRefused) else number(tip)
    return number(estimate), priced(fees, base, max(suggested, lately), worth), number(_sure(coin))


def _sure(answer: Any) -> Any:
    if isinstance(answer, NodeRefused):
        raise answer
    return answer


def _median(history: Any) -> int:
    """The median of what was tipped in the middle of each of the last blocks; 0 when the node keeps no history."""
    if isinstance(history, NodeRefused) or not history.get("reward"):
        return 0
    tips = sorted(number(row[0]) for row in history["reward"])
    return tips[len(tips) // 2]


def priced(fees: Fees, base: int, tip: int, worth: tuple[int, int] = (1, 1)) -> Price:
    """Twice the base, so that it may rise for six full blocks, and the tip within its bounds."""
    tip = max(fees.tip_min, min(tip, fees.tip_max))
    return Price(tip=tip, max_fee=max(2 * base + tip, fees.max_fee_min), worth=worth)


def replacing(price: Price, above: Unsigned) -> Price:
    """A price that nodes take in place of another: an eighth above it in both parts, or today's when that is more."""
    tip, max_fee = _up(above.tip, _BUMP), _up(above.max_fee, _BUMP)
    tip = max(price.tip, tip, above.tip + 1)
    return Price(tip=tip, max_fee=max(price.max_fee, max_fee, tip), worth=price.worth)


def _below(node: Node, fees: Fees, content: bytes, budget: Budget) -> int:
    """What the layer below charges, with a margin."""
    if fees.l1_oracle is None:
        return 0
    # The oracle wants the bytes as they will be sent; a signature doesn't shrink, and nor does noise.
    asked = bytes_argument("getL1Fee(bytes)", content + b"\xa5" * _SIGNATURE)
    answer = _sure(node.one("eth_call", [{"to": fees.l1_oracle, "data": "0x" + asked.hex()}, "latest"], budget))
    charge = word_at(answer, 0)
    if charge is None:
        raise Misconfigured("nothing at its address tells what the layer below charges")
    return _up(charge, _L1_MARGIN)


def _up(value: int, ratio: tuple[int, int]) -> int:
    return -(-value * ratio[0] // ratio[1])


def _refused(kind: FailureKind, detail: str, again: TryAgain) -> Refused:
    return Refused(Failure(kind=kind, provider_code=kind.value, detail=detail, try_again=again))
