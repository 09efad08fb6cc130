"""What a transaction costs and how it is encoded: the fee rules of each chain, dry runs of what issuers may forbid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from plugins.celo.facts import CHAINS as CELO
from plugins.kit.evm import building
from plugins.kit.evm.answers import NodeRefused
from plugins.kit.evm.encoding import Fields, fields_of, name_of, signed, unsigned
from plugins.kit.evm.facts import GWEI, Fees
from plugins.kit.evm.words import address, call_data
from plugins.kit.http import Budget
from plugins.sandbox.chains.contracts import deploy
from ports.chain import Intent, IntentKind, Unsigned
from ports.errors import Misconfigured, Refused
from ports.report import FailureKind
from tests.contract.chain import CAP, OURS, PAYER, WALLET, ChainLine, sign
from tests.plugins.chains.bench import CODES, Bench

#: The first of the accounts that every local node has, and what a public library of another language makes of it.
PUBLIC_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
GOLDEN = "0x2ed9f83f4ff098e3dfa2d66f6e2837119cc9ae5e3dd1c8df66764053890251dd"
GOLDEN_FIELDS = Fields(
    chain_id=42220,
    nonce=7,
    tip=GWEI,
    max_fee=30 * GWEI,
    gas=120_000,
    to=address("0xcebA9300f2b948710d2653dD7B07f33A8B32118C"),
    value=0,
    data=call_data("transfer(address,uint256)", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", 1_000_000),
    fee_currency=CELO.live.fee_currencies["USDC.celo"],
)


def line_of(bench: Bench, **settings: str) -> ChainLine:
    line = ChainLine(chain=bench.line(**settings), world=bench, code=CODES[bench.node.kind.network])
    line.fund()
    return line


def test_gas_paid_in_a_token_is_encoded_as_others_encode_it() -> None:
    content = unsigned(GOLDEN_FIELDS)
    made = PrivateKey(bytes.fromhex(PUBLIC_KEY[2:])).sign_msg(content)
    assert name_of(signed(content, made.v, made.r, made.s)) == GOLDEN


words = st.integers(min_value=0, max_value=2**96)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@given(
    st.builds(
        Fields,
        chain_id=st.integers(min_value=1, max_value=2**50),
        nonce=words,
        tip=words,
        max_fee=words,
        gas=words,
        to=addresses,
        value=words,
        data=st.binary(max_size=100),
        fee_currency=st.none() | addresses,
    )
)
def test_what_was_encoded_is_read_again(fields: Fields) -> None:
    assert fields_of(unsigned(fields)) == fields


@given(st.integers(min_value=0, max_value=2**64), words, addresses, words, st.binary(max_size=100))
def test_the_plain_encoding_is_that_of_the_library(nonce: int, fee: int, to: str, value: int, data: bytes) -> None:
    fields = Fields(chain_id=137, nonce=nonce, tip=fee // 2, max_fee=fee, gas=21_000, to=to, value=value, data=data)
    theirs = TypedTransaction.from_dict(
        {
            "type": 2,
            "chainId": 137,
            "nonce": nonce,
            "maxPriorityFeePerGas": fee // 2,
            "maxFeePerGas": fee,
            "gas": 21_000,
            "to": bytes.fromhex(to[2:]),
            "value": value,
            "data": data,
        }
    )
    content = unsigned(fields)
    made = PrivateKey(bytes(WALLET.key)).sign_msg(content)
    assert bytes(theirs.hash()).hex() == name_of(content)[2:]
    assert Account.recover_transaction(signed(content, made.v, made.r, made.s)).lower() == OURS


@pytest.mark.parametrize("content", [b"", b"\x01\xc0", unsigned(GOLDEN_FIELDS)[:-1], b"\x02\xc0"])
def test_what_is_no_unsigned_transaction_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        fields_of(content)


def test_polygon_tips_what_its_nodes_insist_on(polygon: Bench) -> None:
    line = line_of(polygon)
    made = line.chain.build(line.transfer(), OURS, 0)
    base = int(polygon.controls.block()["baseFeePerGas"], 16)
    assert made.tip >= 30 * GWEI
    assert made.max_fee == 2 * base + made.tip


def test_celo_stays_above_the_floor_of_its_base_fee(celo: Bench) -> None:
    celo.controls.base_fee(1)
    celo.controls.mine()
    line = line_of(celo)
    celo.controls.base_fee(1)
    celo.controls.mine()
    assert line.chain.build(line.transfer(), OURS, 0).max_fee >= 25 * GWEI


def test_base_adds_what_the_layer_below_charges(base: Bench) -> None:
    line = line_of(base)
    made = line.chain.build(line.transfer(), OURS, 0)
    below = made.fee_units_max - made.gas * made.max_fee
    # The stub charges so much for each byte that will be sent, and a quarter is added.
    assert below == -(-2_000_000 * (len(made.content) + 80) * 5 // 4)


def test_gas_is_the_estimate_and_a_fifth(celo: Bench) -> None:
    line = line_of(celo)
    made = line.chain.build(line.transfer(), OURS, 0)
    spent = int(celo.controls.mined(line.chain.broadcast(sign(made)))["gasUsed"], 16)
    assert spent * 6 // 5 <= made.gas <= spent * 3 // 2


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (("setPaused", True), "paused"),
        (("setBlacklisted", OURS, True), "blacklisted"),
        (("setBlacklisted", PAYER, True), "blacklisted"),
    ],
)
def test_what_an_issuer_forbids_is_refused_with_its_words(celo: Bench, act: tuple[Any, ...], words: str) -> None:
    line = line_of(celo)
    celo.deployed.tokens[line.code].do(*act)
    with pytest.raises(Refused) as refused:
        line.chain.build(line.transfer(), OURS, 0)
    assert refused.value.failure.provider_code == "reverted"
    assert words in refused.value.failure.detail


def test_an_allowance_is_not_changed_where_the_token_forbids_it(celo: Bench) -> None:
    line = line_of(celo)
    celo.deployed.tokens[line.code].do("setStrictApprove", True)
    approve = replace(line.transfer(5), kind=IntentKind.APPROVE)
    celo.controls.mined(line.sent(approve))
    with pytest.raises(Refused):
        line.chain.build(approve, OURS, 1)
    celo.controls.mined(line.sent(replace(approve, units=0), 1))
    line.chain.build(approve, OURS, 2)


ESCROWS = [
    ("A", "withdrawToEscrow(address,uint256,uint256,uint256)", (129_480_000, 3)),
    ("B", "withdrawToEscrow(address,uint256)", ()),
    ("C", "withdrawToEscrow(address,uint256,uint256)", (3,)),
]


@pytest.mark.parametrize(("form", "signature", "more"), ESCROWS)
def test_an_escrow_is_called_after_an_approval(celo: Bench, form: str, signature: str, more: tuple[int, ...]) -> None:
    line, escrow = line_of(celo), deploy(celo.controls, f"Escrow{form}")
    escrow.do("setWhitelistedAsset", line.token, True)
    call = Intent(
        kind=IntentKind.CALL,
        asset=line.code,
        to=escrow.address,
        units=0,
        fee_cap_units=CAP,
        data=call_data(signature, line.token, 500, *more),
    )
    with pytest.raises(Refused):
        line.chain.build(call, OURS, 0)
    approve = replace(line.transfer(500, to=escrow.address), kind=IntentKind.APPROVE)
    celo.controls.mined(line.sent(approve))
    tx = line.sent(call, 1)
    celo.controls.mined(tx)
    (moved,) = line.chain.transaction(tx).transfers
    assert (moved.sender, moved.recipient, moved.units) == (OURS, escrow.address, 500)
    escrow.do("pause")
    with pytest.raises(Refused) as refused:
        line.chain.build(call, OURS, 2)
    # EnforcedPause().
    assert refused.value.failure.detail == "0xd93c0665"


@given(tip=words, max_fee=words, today=words)
def test_a_replacement_is_an_eighth_above_in_both_parts(tip: int, max_fee: int, today: int) -> None:
    above = Unsigned(content=b"", nonce=0, gas=1, tip=tip, max_fee=max_fee, fee_units_max=0)
    price = building.replacing(building.Price(tip=today // 3, max_fee=today), above)
    assert price.tip * 8 >= tip * 9
    assert price.tip > tip
    assert price.max_fee * 8 >= max_fee * 9
    assert price.max_fee >= price.tip


def test_a_call_that_eats_too_much_is_refused(celo: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    line = line_of(celo)
    network = celo.line()._network
    tight = replace(network, fees=replace(network.fees, gas_max=30_000))
    monkeypatch.setattr(line.chain, "_network", tight)
    with pytest.raises(Refused) as refused:
        line.chain.build(line.transfer(), OURS, 0)
    assert refused.value.failure.kind is FailureKind.OVER_LIMIT


class StubNode:
    """Answers as a Celo node would that takes fees in tokens; local nodes don't know of that."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, list[object]]] = []

    def ask(self, calls: Sequence[tuple[str, list[object]]], budget: Budget) -> list[Any]:
        self.asked += calls
        return [self._answer(method, params) for method, params in calls]

    def _answer(self, method: str, params: list[object]) -> Any:
        found = self.answers[method]
        return found(params) if callable(found) else found

    def same_chain(self, said: object) -> None:
        assert said == "0xa4ec"


def test_gas_in_a_token_is_priced_in_it_and_capped_in_coins() -> None:
    currency = CELO.live.fee_currencies["USDC.celo"]
    node = StubNode(
        eth_chainId="0xa4ec",
        eth_getBlockByNumber={"baseFeePerGas": hex(25 * GWEI)},
        eth_getBalance="0x0",
        eth_estimateGas=hex(100_000),
        eth_maxPriorityFeePerGas=hex(GWEI),
        # A token that is worth four coins: a quarter of the price in it.
        eth_gasPrice=lambda params: hex(10 * GWEI) if params else hex(40 * GWEI),
    )
    call = building.Wanted(sender=OURS, to=PAYER, value=0, data=b"\x01")
    made = building.build(node, CELO.live, call, 4, CAP, None, "USDC.celo", Budget(5))  # type: ignore[arg-type]
    said = fields_of(made.content)
    assert (said.fee_currency, said.nonce, said.gas) == (currency, 4, 120_000)
    assert said.max_fee == max(2 * 10 * GWEI + GWEI, 25 * GWEI)
    assert made.fee_units_max == 120_000 * said.max_fee * 4
    assert ("eth_maxPriorityFeePerGas", [currency]) in node.asked
    with pytest.raises(Refused):
        building.build(  # type: ignore[arg-type]
            node, CELO.live, call, 4, made.fee_units_max - 1, None, "USDC.celo", Budget(5)
        )


def test_gas_is_paid_in_coins_where_the_token_is_not_taken(celo: Bench) -> None:
    """A local node knows no fee currency: it refuses to price one."""
    celo.proxy.arm("error", method="eth_gasPrice", code=-32602, message="unregistered fee currency")
    line = line_of(celo, gas_in="USDC.celo")
    with pytest.raises(Misconfigured):
        line_of(celo, gas_in="USDM")
    assert fields_of(line.chain.build(line.transfer(), OURS, 0).content).fee_currency is None
    assert "chain_gas_paid_in_coins" in [event for _, event, _ in celo.fake.log.lines]


def test_a_replacement_is_paid_as_what_it_replaces(celo: Bench) -> None:
    line = line_of(celo)
    first = line.chain.build(line.transfer(), OURS, 0)
    other = line_of(celo, gas_in="USDC.celo").chain.build(line.transfer(), OURS, 0, above=first)
    assert fields_of(other.content).fee_currency is None


def test_a_tip_follows_its_bounds() -> None:
    fees = Fees(tip_min=30, tip_max=100, max_fee_min=500)
    assert [building.priced(fees, 100, tip).tip for tip in (0, 30, 70, 900)] == [30, 30, 70, 100]
    assert building.priced(fees, 100, 30).max_fee == 500
    assert building.priced(fees, 1000, 30).max_fee == 2030


def test_a_node_without_a_suggestion_leaves_the_floor(celo: Bench) -> None:
    celo.proxy.arm("error", method="eth_maxPriorityFeePerGas", code=-32601, message="not found")
    line = line_of(celo)
    assert line.chain.build(line.transfer(), OURS, 0).tip == 0
    assert isinstance(NodeRefused(-32601, "not found"), Exception)
