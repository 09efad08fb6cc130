"""What is signed is what the chain's own library would sign, and only what the rules allow."""

from __future__ import annotations

import json

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from gateway.signer.book import Book, BookBroken
from gateway.signer.payloads import Undecodable, read
from gateway.signer.service import NotSigned
from tests.signer.conftest import (
    ADDRESS,
    CHAIN,
    FRIEND,
    PUBLIC_KEY,
    RULES,
    SPENDER,
    TOKEN,
    Place,
    approve,
    escrow,
    payload,
    said,
    transfer,
)


def test_it_signs_as_eth_account_does(place: Place) -> None:
    raw, tx = place.signer().sign(ADDRESS, payload(transfer(7)), said("transfer", FRIEND, 7))
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": CHAIN,
            "nonce": 0,
            "maxPriorityFeePerGas": 10**9,
            "maxFeePerGas": 10**10,
            "gas": 100_000,
            "to": bytes.fromhex(TOKEN[2:]),
            "value": 0,
            "data": bytes.fromhex(transfer(7)),
        },
        PUBLIC_KEY,
    )
    assert (raw, tx) == (bytes(theirs.raw_transaction), theirs.hash.to_0x_hex())


def test_a_fee_in_a_token_is_signed_as_another_library_does() -> None:
    """The golden vector of CIP-64: the public first key, nonce 7, 30 gwei, USDC's adapter as fee currency."""
    import rlp
    from eth_keys.datatypes import PrivateKey
    from eth_utils.crypto import keccak

    from gateway.signer.payloads import with_signature

    usdc = "ceba9300f2b948710d2653dd7b07f33a8b32118c"
    adapter = bytes.fromhex("2f25deb3848c207fc8e0c34035b3ba7fc157602b")
    data = bytes.fromhex("a9059cbb" + "70997970c51812dc3a010c7d01b50e0d17dc79c8".rjust(64, "0") + f"{10**6:064x}")
    fields = [42220, 7, 10**9, 30 * 10**9, 120_000, bytes.fromhex(usdc), 0, data, [], adapter]
    content = b"\x7b" + rlp.encode(fields)
    signature = PrivateKey(PUBLIC_KEY).sign_msg_hash(keccak(content))
    raw = with_signature(read(content), signature.v, signature.r, signature.s)
    assert "0x" + keccak(raw).hex() == "0x2ed9f83f4ff098e3dfa2d66f6e2837119cc9ae5e3dd1c8df66764053890251dd"


ALLOWED = [
    (payload(transfer(1000)), said("transfer", FRIEND, 1000)),
    (payload(approve(1000)), said("approve", SPENDER, 1000)),
    (payload(escrow(1000), to=SPENDER), said("call", SPENDER, 1000, data=escrow(1000))),
    (payload(to=ADDRESS, nonce=4), said("cancel", ADDRESS, 0, nonce=4)),
]


@pytest.mark.parametrize(("content", "words"), ALLOWED)
def test_what_the_rules_allow_is_signed(place: Place, content: bytes, words: dict[str, object]) -> None:
    raw, _ = place.signer().sign(ADDRESS, content, words)
    assert Account.recover_transaction(raw).lower() == ADDRESS


OTHER = "0x" + "dd" * 20
REFUSED = [
    ("an unlisted recipient", payload(transfer(1, OTHER)), said("transfer", OTHER, 1)),
    ("an unlisted spender", payload(approve(1, OTHER)), said("approve", OTHER, 1)),
    ("an unlisted token", payload(transfer(1), to=OTHER), said("transfer", FRIEND, 1, token=OTHER)),
    ("more than a transaction may move", payload(transfer(1001)), said("transfer", FRIEND, 1001)),
    ("more than a transaction may approve", payload(approve(1001)), said("approve", SPENDER, 1001)),
    ("a call that takes too much", payload(escrow(1001), to=SPENDER), said("call", SPENDER, 0, data=escrow(1001))),
    (
        "a call that takes another token",
        payload(escrow(1, OTHER), to=SPENDER),
        said("call", SPENDER, 0, data=escrow(1, OTHER)),
    ),
    ("a call of another contract", payload(escrow(1), to=OTHER), said("call", OTHER, 0, data=escrow(1))),
    ("another call of that contract", payload("deadbeef", to=SPENDER), said("call", SPENDER, 0, data="deadbeef")),
    ("coins to somebody", payload(to=FRIEND, value=1), said("transfer", FRIEND, 1)),
    ("coins with a call", payload(transfer(1), value=1), said("transfer", FRIEND, 1)),
    ("a fee above the limit", payload(transfer(1), gas=2_000_000), said("transfer", FRIEND, 1)),
    ("another chain", payload(transfer(1), chain=1), {**said("transfer", FRIEND, 1), "chain_id": 1}),
    ("bytes that pay another than is said", payload(transfer(1)), said("transfer", SPENDER, 1)),
    ("bytes that pay more than is said", payload(transfer(2)), said("transfer", FRIEND, 1)),
    ("another number than is said", payload(transfer(1), nonce=3), said("transfer", FRIEND, 1)),
    (
        "a recipient with dirt in front",
        payload("a9059cbb" + "01" + "00" * 11 + "cc" * 20 + f"{1:064x}"),
        said("transfer", FRIEND, 1),
    ),
]


@pytest.mark.parametrize(("content", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_the_rules_forbid_is_not_signed(place: Place, content: bytes, words: dict[str, object]) -> None:
    signer = place.signer()
    with pytest.raises(NotSigned):
        signer.sign(ADDRESS, content, words)
    assert [line["what"] for line in signer.book.lines()] == ["refused"]


def test_an_unknown_wallet_has_no_key(place: Place) -> None:
    with pytest.raises(NotSigned, match="there is no key"):
        place.signer().sign(OTHER, payload(transfer(1)), said("transfer", FRIEND, 1))


class TestTheDay:
    def test_its_limit_holds_over_a_restart_and_ends_with_it(self, place: Place) -> None:
        for nonce in (0, 1):
            place.signer().sign(
                ADDRESS, payload(transfer(1000), nonce=nonce), said("transfer", FRIEND, 1000, nonce=nonce)
            )
        with pytest.raises(NotSigned, match="above the limit of a day"):
            place.signer().sign(ADDRESS, payload(transfer(600), nonce=2), said("transfer", FRIEND, 600, nonce=2))
        place.signer().sign(ADDRESS, payload(transfer(500), nonce=2), said("transfer", FRIEND, 500, nonce=2))
        place.clock.forward(24.1)
        place.signer().sign(ADDRESS, payload(transfer(1000), nonce=3), said("transfer", FRIEND, 1000, nonce=3))

    def test_the_same_bytes_count_once(self, place: Place) -> None:
        given_twice = {
            place.signer().sign(ADDRESS, payload(transfer(1000)), said("transfer", FRIEND, 1000)) for _ in range(9)
        }
        assert len(given_twice) == 1
        assert len(list(place.signer().book.lines())) == 1

    def test_a_replacement_counts_once(self, place: Place) -> None:
        signer = place.signer()
        for fee in range(9):
            content = payload(transfer(1000), max_fee=10**10 + fee)
            signer.sign(ADDRESS, content, said("transfer", FRIEND, 1000))
        assert signer.book.spent(CHAIN, ADDRESS, 99)[TOKEN] == 1000

    def test_fees_have_a_limit_of_their_own(self, place: Place) -> None:
        signer = place.signer()
        for nonce in range(3):
            signer.sign(
                ADDRESS, payload(transfer(1), nonce=nonce, gas=1_000_000), said("transfer", FRIEND, 1, nonce=nonce)
            )
        with pytest.raises(NotSigned, match="fees are above the limit of a day"):
            signer.sign(ADDRESS, payload(transfer(1), nonce=3, gas=1_000_000), said("transfer", FRIEND, 1, nonce=3))


class TestTheBook:
    @pytest.mark.parametrize("hurt", ["changed", "missing"])
    def test_a_hurt_book_signs_nothing(self, place: Place, hurt: str) -> None:
        for nonce in (0, 1):
            place.signer().sign(ADDRESS, payload(transfer(9), nonce=nonce), said("transfer", FRIEND, 9, nonce=nonce))
        path = place.folder / "book.jsonl"
        first, second = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(first.replace(b'"units":"9"', b'"units":"1"') + second if hurt == "changed" else second)
        with pytest.raises(BookBroken):
            place.signer()

    def test_a_line_that_a_crash_cut_is_dropped(self, place: Place) -> None:
        place.signer().sign(ADDRESS, payload(transfer(9)), said("transfer", FRIEND, 9))
        path = place.folder / "book.jsonl"
        path.write_bytes(path.read_bytes() + b'{"at":"2026')
        book = Book(path=path, clock=place.clock)
        book.open()
        assert [line["what"] for line in book.lines()] == ["signed"]


class TestReading:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\x02",
            b"\x01" + payload()[1:],
            payload() + b"\0",
            payload()[:-1],
            b"\x02\xc0",
            b"\x02" + b"\xc1" * 60_000,
        ],
    )
    def test_what_is_no_transaction_is_refused(self, content: bytes) -> None:
        with pytest.raises(Undecodable):
            read(content)

    def test_an_access_list_is_refused(self) -> None:
        import rlp

        fields = [CHAIN, 0, 1, 1, 1, bytes(20), 0, b"", [[bytes(20), []]]]
        with pytest.raises(Undecodable, match="access list"):
            read(b"\x02" + rlp.encode(fields))

    @given(st.binary(max_size=300))
    def test_it_never_fails_in_another_way(self, content: bytes) -> None:
        for first in (b"", b"\x02", b"\x7b"):
            try:
                read(first + content)
            except Undecodable:
                continue


def test_rules_that_cannot_be_read_are_named(place: Place) -> None:
    from gateway.signer.rules import Rules, RulesBroken

    broken = json.loads(json.dumps(RULES))
    broken["chains"][str(CHAIN)]["tokens"][TOKEN]["per_tx"] = -1
    (place.folder / "rules.json").write_text(json.dumps(broken))
    with pytest.raises(RulesBroken, match="no number of units"):
        Rules.read(place.folder / "rules.json")
