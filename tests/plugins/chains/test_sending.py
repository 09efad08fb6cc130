"""Broadcasting under faults, and what a node's words mean."""

from __future__ import annotations

from contextlib import suppress

import pytest

from plugins.kit.evm.answers import NodeRefused, dry_run_error, send_error
from plugins.kit.evm.encoding import name_of
from ports.chain import CannotSend, Mined
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from tests.contract.chain import OURS, PAYER, ChainLine, sign
from tests.plugins.chains.bench import CODES, Bench


def line_of(bench: Bench, *, funded: bool = True) -> ChainLine:
    line = ChainLine(chain=bench.line(), world=bench, code=CODES[bench.node.kind.network])
    if funded:
        line.fund()
    return line


#: What nodes have been seen to say.
SAYINGS: list[tuple[int, str, type[Exception], str | None]] = [
    (-32000, "already known", AlreadyTaken, None),
    (-32003, "transaction already imported", AlreadyTaken, None),
    (-32010, "AlreadyKnown", AlreadyTaken, None),
    (-32000, "nonce too low: next nonce 5, tx nonce 3", AlreadyTaken, None),
    (-32000, "known transaction: abcdef", AlreadyTaken, None),
    (-32000, "unknown transaction type", OutcomeUnknown, None),
    (-32000, "replacement transaction underpriced", NotSent, CannotSend.UNDERPRICED),
    (-32000, "transaction underpriced: tip needed 25000000000, tip permitted 1000000000", NotSent, "underpriced"),
    (-32000, "max fee per gas less than block base fee: address 0xab", NotSent, CannotSend.UNDERPRICED),
    (-32010, "FeeTooLow, EffectivePriorityFeePerGas too low", NotSent, CannotSend.UNDERPRICED),
    (-32000, "insufficient funds for gas * price + value: balance 1", NotSent, CannotSend.NO_GAS_COIN),
    (-32003, "Insufficient funds for gas * price + value", NotSent, CannotSend.NO_GAS_COIN),
    (-32000, "nonce too high", NotSent, CannotSend.NONCE_TOO_HIGH),
    (-32000, "invalid chain id for signer: have 1 want 42220", Misconfigured, None),
    (-32000, "txpool is full", OutcomeUnknown, None),
    (-32603, "internal error", OutcomeUnknown, None),
    (-32005, "daily request count exceeded", OutcomeUnknown, None),
    (0, "", OutcomeUnknown, None),
]


@pytest.mark.parametrize(("code", "text", "kind", "word"), SAYINGS)
def test_what_a_node_says_is_sorted(code: int, text: str, kind: type[Exception], word: str | None) -> None:
    sorted_error = send_error(NodeRefused(code, text))
    assert type(sorted_error) is kind or isinstance(sorted_error, kind)
    if isinstance(sorted_error, NotSent):
        assert sorted_error.reason == word


@pytest.mark.parametrize(("code", "text", "kind", "word"), SAYINGS)
def test_what_a_node_says_reaches_the_caller(
    celo: Bench, code: int, text: str, kind: type[Exception], word: str | None
) -> None:
    line = line_of(celo)
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    celo.proxy.arm("error", method="eth_sendRawTransaction", code=code, message=text)
    with pytest.raises(kind):
        line.chain.broadcast(made)


#: `Error("no")` as a contract gives it.
WORDS = "0x08c379a0" + f"{32:064x}{2:064x}" + "6e6f" + "00" * 30


@pytest.mark.parametrize(
    ("refused", "kind", "detail"),
    [
        (
            NodeRefused(3, "execution reverted: no", "0x08c379a0" + "00" * 31 + "20" + "00" * 31 + "02" + "6e6f"),
            Refused,
            "no",
        ),
        (NodeRefused(3, "execution reverted", "0xd93c0665"), Refused, "0xd93c0665"),
        (NodeRefused(-32000, "execution reverted: insufficient funds in the vault"), Refused, None),
        (NodeRefused(-32000, "insufficient funds for transfer"), NotSent, None),
        (NodeRefused(-32000, "gas required exceeds allowance (0)"), OutcomeUnknown, None),
    ],
)
def test_what_a_dry_run_says_is_sorted(refused: NodeRefused, kind: type[Exception], detail: str | None) -> None:
    sorted_error = dry_run_error(refused)
    assert isinstance(sorted_error, kind)
    if isinstance(sorted_error, Refused) and detail:
        assert sorted_error.failure.detail == detail


def test_the_same_bytes_go_to_every_endpoint(twice: Bench) -> None:
    line = line_of(twice)
    tx = line.sent(line.transfer())
    assert [one.calls["eth_sendRawTransaction"] for one in twice.proxies] == [1, 1]
    assert line.chain.transaction(tx).state in (Mined.WAITING, Mined.OK)


@pytest.mark.parametrize("fault", ["hang_up", "lose_answer", "html", "cut_json", "drop_sends"])
def test_one_endpoint_in_trouble_spoils_nothing(twice: Bench, fault: str) -> None:
    line = line_of(twice)
    twice.proxies[0].arm(fault, method="eth_sendRawTransaction")
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    # Where the first took it and could not say so, the second knows it already.
    with suppress(AlreadyTaken):
        line.chain.broadcast(made)
    twice.controls.mined(name_of(made))
    assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 400),)


@pytest.mark.parametrize("fault", ["hang_up", "lose_answer", "html", "cut_json"])
def test_silence_is_unknown_and_nothing_is_sent_twice(celo: Bench, fault: str) -> None:
    line = line_of(celo)
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    celo.proxy.arm(fault, method="eth_sendRawTransaction")
    with pytest.raises(OutcomeUnknown):
        line.chain.broadcast(made)
    assert celo.proxy.calls["eth_sendRawTransaction"] == 1


def test_one_who_has_it_outweighs_one_who_is_silent(twice: Bench) -> None:
    line = line_of(twice)
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    twice.halt()
    line.chain.broadcast(made)
    twice.proxies[0].arm("html")
    with pytest.raises(AlreadyTaken):
        line.chain.broadcast(made)


def test_one_who_is_silent_outweighs_one_who_refuses(twice: Bench) -> None:
    line = line_of(twice)
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    twice.proxies[0].arm("lose_answer", method="eth_sendRawTransaction")
    twice.proxies[1].arm("error", method="eth_sendRawTransaction", message="transaction underpriced")
    with pytest.raises(OutcomeUnknown):
        line.chain.broadcast(made)


def test_a_refusal_for_too_many_calls_says_that_no_node_took_it(celo: Bench) -> None:
    line = line_of(celo)
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    celo.proxy.arm("status", code=429, retry_after=11)
    with pytest.raises(NotSent) as unsent:
        line.chain.broadcast(made)
    assert (unsent.value.reason, unsent.value.retry_after_s) == (CannotSend.NO_NODE, 11)


def test_a_transaction_that_a_node_forgot_can_be_sent_again(celo: Bench) -> None:
    line = line_of(celo)
    celo.halt()
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    tx = line.chain.broadcast(made)
    celo.controls.drop(tx)
    assert line.chain.transaction(tx).state is Mined.NOT_SEEN
    assert line.chain.broadcast(made) == tx
    celo.go_on()
    assert line.chain.transaction(tx).state is Mined.OK


def test_a_gap_holds_what_comes_after_it(celo: Bench) -> None:
    line = line_of(celo)
    first, second = (sign(line.chain.build(line.transfer(units), OURS, nonce)) for nonce, units in ((0, 1), (1, 2)))
    waiting = line.chain.broadcast(second)
    celo.controls.mine(2)
    assert line.chain.transaction(waiting).state is Mined.WAITING
    assert line.chain.balances([OURS], [])[0].sent == 0
    line.chain.broadcast(first)
    celo.controls.mined(waiting)
    assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 3),)


def test_a_fee_that_leapt_is_underpriced_and_priced_anew(celo: Bench) -> None:
    line = line_of(celo)
    old = line.chain.build(line.transfer(), OURS, 0)
    celo.controls.base_fee(old.max_fee * 3)
    celo.controls.mine()
    with pytest.raises(NotSent) as unsent:
        line.chain.broadcast(sign(old))
    assert unsent.value.reason == CannotSend.UNDERPRICED
    new = line.chain.build(line.transfer(), OURS, 0, above=old)
    assert new.max_fee > old.max_fee * 3
    celo.controls.mined(line.chain.broadcast(sign(new)))
    assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 400),)


def test_a_reorganised_send_comes_back_with_the_same_bytes(celo: Bench) -> None:
    line = line_of(celo)
    made = sign(line.chain.build(line.transfer(), OURS, 0))
    tx = line.chain.broadcast(made)
    celo.controls.mined(tx)
    celo.reorganise(1)
    assert line.chain.transaction(tx).state is Mined.NOT_SEEN
    assert line.chain.broadcast(made) == tx
    celo.controls.mined(tx)
    assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 400),)


def test_a_halted_chain_keeps_what_was_sent_waiting(celo: Bench) -> None:
    line = line_of(celo)
    with celo.controls.halted():
        tx = line.sent(line.transfer())
        assert line.chain.transaction(tx).state is Mined.WAITING
    assert line.chain.transaction(tx).state is Mined.OK
