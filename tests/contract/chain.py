"""The promises of ports.chain, bound once for each adapter to a real node, and to the fake.

A binding subclasses ChainContract and gives a fixture `line`. Every test has a chain of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey

from plugins.kit.evm.encoding import fields_of, signed
from plugins.kit.evm.words import call_data
from ports.abilities import FindingState
from ports.chain import CannotSend, Chain, Intent, IntentKind, Mined, Tag, Transfer, Unsigned
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.report import FailureKind

#: A wallet of ours, and people who are not.
WALLET: LocalAccount = Account.from_key("0x" + "11" * 32)
OURS = WALLET.address.lower()
PEOPLE: tuple[LocalAccount, LocalAccount] = (Account.from_key("0x" + "22" * 32), Account.from_key("0x" + "33" * 32))
PAYER, STRANGER = (one.address.lower() for one in PEOPLE)
COINS = 10**20
CAP = 10**18


class ChainWorld(Protocol):
    """What the suite does at the chain itself."""

    def mint(self, code: str, address: str, units: int) -> None:
        """Give tokens, mined now."""

    def give_coins(self, address: str, units: int) -> None:
        """Set what an address has of the native coin."""

    def move(self, code: str, sender: str, recipient: str, units: int) -> str:
        """Have anybody send tokens, mined now; gives the hash."""

    def move_many(self, code: str, sender: str, recipients: Sequence[str], units: int) -> str:
        """As `move`, with one transfer after another in one transaction."""

    def freeze(self, code: str, address: str) -> None:
        """The issuer lets the address neither send nor get that token."""

    def mine(self, blocks: int = 1) -> None:
        """Make empty blocks."""

    def halt(self) -> None:
        """Make no blocks until `go_on`."""

    def go_on(self) -> None:
        """Make a block of what waits, and one for each transaction from now on."""

    def reorganise(self, depth: int, again: Sequence[str] = ()) -> None:
        """Make the last blocks anew; transactions of these hashes come again, one block later than they first did."""

    def lose_answer(self) -> None:
        """The next transaction sent is taken, and its answer is lost."""

    def close(self) -> None:
        """Connections are refused from now on."""

    def become_another(self) -> None:
        """The endpoint is of another chain from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLine:
    """A chain and the world behind it; `code` is one of its tokens."""

    chain: Chain
    world: ChainWorld
    code: str

    @property
    def token(self) -> str:
        found = self.chain.facts.token(self.code)
        assert found is not None
        return found.address

    def found(self, since: int | None = None) -> tuple[Transfer, ...]:
        """Transfers of the token to or from our wallet, up to the newest block."""
        head = self.chain.heads().latest.number
        return self.chain.transfers(since if since is not None else 0, head, [self.token], [OURS]).transfers

    def fund(self, units: int = 10**6) -> None:
        self.world.give_coins(OURS, COINS)
        self.world.mint(self.code, OURS, units)

    def transfer(self, units: int = 400, to: str = PAYER, cap: int = CAP) -> Intent:
        return Intent(kind=IntentKind.TRANSFER, asset=self.code, to=to, units=units, fee_cap_units=cap)

    def sent(self, intent: Intent, nonce: int = 0, above: Unsigned | None = None) -> str:
        return self.chain.broadcast(sign(self.chain.build(intent, OURS, nonce, above)))


def sign(unsigned: Unsigned, account: LocalAccount = WALLET) -> bytes:
    """What the signer makes of it."""
    made = PrivateKey(bytes(account.key)).sign_msg(unsigned.content)
    return signed(unsigned.content, made.v, made.r, made.s)


class ChainContract:
    """Each test is one promise of the port."""

    def test_heads_lie_in_order_and_rise(self, line: ChainLine) -> None:
        line.world.mine(12)
        first = line.chain.heads()
        line.world.mine(3)
        second = line.chain.heads()
        assert first.finalized.number <= first.safe.number <= first.latest.number
        assert second.latest.number == first.latest.number + 3
        assert second.finalized.number > first.finalized.number
        assert second.at(Tag.SAFE) == second.safe
        assert second.latest_at >= second.finalized_at

    def test_blocks_are_chained_and_end_where_the_chain_ends(self, line: ChainLine) -> None:
        line.world.mine(5)
        head = line.chain.heads().latest
        blocks = line.chain.blocks(head.number - 3, head.number + 10)
        assert [block.number for block in blocks] == list(range(head.number - 3, head.number + 1))
        assert all(upper.parent == lower.hash for lower, upper in pairwise(blocks))
        assert (blocks[-1].number, blocks[-1].hash) == (head.number, head.hash)

    def test_what_comes_and_what_goes_is_found_once(self, line: ChainLine) -> None:
        line.world.mint(line.code, PAYER, 1000)
        line.fund(500)
        start = line.chain.heads().latest.number + 1
        came = line.world.move(line.code, PAYER, OURS, 700)
        went = line.world.move(line.code, OURS, STRANGER, 200)
        line.world.move(line.code, PAYER, STRANGER, 50)
        line.world.move(line.code, OURS, OURS, 5)
        assert [(one.tx, one.sender, one.recipient, one.units) for one in line.found(start)] == [
            (came, PAYER, OURS, 700),
            (went, OURS, STRANGER, 200),
            (line.found(start)[2].tx, OURS, OURS, 5),
        ]

    def test_nothing_moved_is_nothing_found(self, line: ChainLine) -> None:
        start = line.chain.heads().latest.number + 1
        line.world.move(line.code, PAYER, OURS, 0)
        assert line.found(start) == ()

    def test_a_place_is_that_in_the_receipt(self, line: ChainLine) -> None:
        line.world.mint(line.code, PAYER, 1000)
        start = line.chain.heads().latest.number + 1
        tx = line.world.move_many(line.code, PAYER, [STRANGER, OURS, STRANGER, OURS], 10)
        assert [(one.tx, one.position) for one in line.found(start)] == [(tx, 1), (tx, 3)]

    def test_a_scan_tells_its_blocks_and_how_far_it_came(self, line: ChainLine) -> None:
        line.world.mine(6)
        head = line.chain.heads().latest
        scan = line.chain.transfers(head.number - 4, head.number - 1, [line.token], [OURS])
        assert (scan.since, scan.until) == (head.number - 4, head.number - 1)
        assert scan.blocks == line.chain.blocks(head.number - 4, head.number - 1)

    def test_blocks_that_are_not_there_yet_are_not_empty(self, line: ChainLine) -> None:
        head = line.chain.heads().latest.number
        with pytest.raises(NotSent):
            line.chain.transfers(head, head + 5, [line.token], [OURS])

    def test_a_token_that_is_not_of_the_line_is_nobodys(self, line: ChainLine) -> None:
        with pytest.raises(ValueError, match="token"):
            line.chain.transfers(0, 0, [STRANGER], [OURS])

    def test_a_reorganisation_takes_transfers_away(self, line: ChainLine) -> None:
        line.world.mint(line.code, PAYER, 1000)
        start = line.chain.heads().latest.number + 1
        tx = line.world.move(line.code, PAYER, OURS, 700)
        assert len(line.found(start)) == 1
        line.world.reorganise(1)
        assert line.found(start) == ()
        assert line.chain.transaction(tx).state in (Mined.NOT_SEEN, Mined.WAITING)

    def test_what_comes_again_in_another_block_keeps_its_name(self, line: ChainLine) -> None:
        line.world.mint(line.code, PAYER, 1000)
        start = line.chain.heads().latest.number + 1
        tx = line.world.move_many(line.code, PAYER, [STRANGER, OURS], 10)
        (before,) = line.found(start)
        line.world.mine(1)
        line.world.reorganise(2, [tx])
        (after,) = line.found(start)
        assert (after.tx, after.position) == (before.tx, before.position) == (tx, 1)
        assert (after.block, after.block_hash) != (before.block, before.block_hash)

    def test_an_unknown_transaction_is_not_seen(self, line: ChainLine) -> None:
        assert line.chain.transaction("0x" + "ab" * 32).state is Mined.NOT_SEEN

    def test_a_transfer_waits_and_is_mined_with_its_fee(self, line: ChainLine) -> None:
        line.fund()
        line.world.halt()
        tx = line.sent(line.transfer(400))
        assert line.chain.transaction(tx).state is Mined.WAITING
        line.world.go_on()
        found = line.chain.transaction(tx)
        assert (found.state, found.sender, found.nonce) == (Mined.OK, OURS, 0)
        assert [(one.sender, one.recipient, one.units, one.position) for one in found.transfers] == [
            (OURS, PAYER, 400, 0)
        ]
        assert found.fee_asset == line.chain.facts.native
        assert found.fee_units > 0
        coins, sent = line.chain.balances([OURS], [line.chain.facts.native.code])[0].units[0][1], 1
        assert coins == COINS - found.fee_units
        assert line.chain.balances([OURS], [])[0].sent == sent

    def test_what_is_reverted_costs_and_moves_nothing(self, line: ChainLine) -> None:
        line.fund()
        made = line.chain.build(line.transfer(400), OURS, 0)
        line.world.freeze(line.code, PAYER)
        tx = line.chain.broadcast(sign(made))
        line.world.go_on()
        found = line.chain.transaction(tx)
        assert (found.state, found.transfers) == (Mined.REVERTED, ())
        assert found.fee_units > 0

    def test_the_bytes_say_what_was_wanted(self, line: ChainLine) -> None:
        line.fund()
        facts = line.chain.facts
        made = line.chain.build(line.transfer(400), OURS, 3)
        said = fields_of(made.content)
        assert (said.chain_id, said.nonce, said.to, said.value) == (facts.chain_id, 3, line.token, 0)
        assert said.data == call_data("transfer(address,uint256)", PAYER, 400)
        assert (said.gas, said.tip, said.max_fee) == (made.gas, made.tip, made.max_fee)
        assert made.fee_units_max >= made.gas * made.max_fee > 0
        approved = fields_of(line.chain.build(replace(line.transfer(9), kind=IntentKind.APPROVE), OURS, 0).content)
        assert (approved.to, approved.data) == (line.token, call_data("approve(address,uint256)", PAYER, 9))
        called = Intent(
            kind=IntentKind.CALL, asset=line.code, to=line.token, units=0, fee_cap_units=CAP, data=approved.data
        )
        assert fields_of(line.chain.build(called, OURS, 0).content).data == approved.data
        coin = fields_of(line.chain.build(replace(line.transfer(77), asset=facts.native.code), OURS, 0).content)
        assert (coin.to, coin.value, coin.data) == (PAYER, 77, b"")
        nothing = fields_of(line.chain.build(replace(line.transfer(0), kind=IntentKind.CANCEL), OURS, 0).content)
        assert (nothing.to, nothing.value, nothing.data) == (OURS, 0, b"")

    def test_a_dry_run_that_reverts_is_refused(self, line: ChainLine) -> None:
        line.fund(100)
        with pytest.raises(Refused):
            line.chain.build(line.transfer(101), OURS, 0)
        line.world.freeze(line.code, PAYER)
        with pytest.raises(Refused):
            line.chain.build(line.transfer(1), OURS, 0)

    def test_a_fee_above_the_cap_is_refused(self, line: ChainLine) -> None:
        line.fund()
        with pytest.raises(Refused) as refused:
            line.chain.build(line.transfer(1, cap=1000), OURS, 0)
        assert refused.value.failure.kind is FailureKind.OVER_LIMIT

    @pytest.mark.parametrize("to", ["0x" + "00" * 20, "0x12", "0xcEbA9300f2b948710d2653dD7B07f33A8B32118C", "token"])
    def test_nobody_is_no_recipient(self, line: ChainLine, to: str) -> None:
        line.fund()
        with pytest.raises(Refused) as refused:
            line.chain.build(line.transfer(1, to=line.token if to == "token" else to), OURS, 0)
        assert refused.value.failure.kind is FailureKind.DESTINATION_INVALID

    def test_a_wallet_without_coins_builds_nothing(self, line: ChainLine) -> None:
        line.world.give_coins(OURS, 0)
        line.world.mint(line.code, OURS, 1000)
        with pytest.raises(NotSent) as unsent:
            line.chain.build(line.transfer(1), OURS, 0)
        assert unsent.value.reason == CannotSend.NO_GAS_COIN

    def test_the_same_bytes_may_always_be_sent_again(self, line: ChainLine) -> None:
        line.fund()
        signed_bytes = sign(line.chain.build(line.transfer(400), OURS, 0))
        line.world.halt()
        tx = line.chain.broadcast(signed_bytes)
        with pytest.raises(AlreadyTaken):
            line.chain.broadcast(signed_bytes)
        line.world.go_on()
        with pytest.raises(AlreadyTaken):
            line.chain.broadcast(signed_bytes)
        assert line.chain.transaction(tx).state is Mined.OK
        assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 400),)

    def test_a_used_nonce_is_already_taken(self, line: ChainLine) -> None:
        line.fund()
        other = sign(line.chain.build(line.transfer(1), OURS, 0))
        line.sent(line.transfer(2))
        line.world.go_on()
        with pytest.raises(AlreadyTaken):
            line.chain.broadcast(other)

    def test_a_replacement_pays_an_eighth_more_and_is_mined_alone(self, line: ChainLine) -> None:
        line.fund()
        line.world.halt()
        first = line.chain.build(line.transfer(400), OURS, 0)
        stuck = line.chain.broadcast(sign(first))
        second = line.chain.build(line.transfer(400), OURS, 0, above=first)
        assert second.tip * 8 >= first.tip * 9
        assert second.max_fee * 8 >= first.max_fee * 9
        assert second.tip > first.tip
        mined = line.chain.broadcast(sign(second))
        line.world.go_on()
        assert line.chain.transaction(mined).state is Mined.OK
        assert line.chain.transaction(stuck).state is Mined.NOT_SEEN
        assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 400),)

    def test_a_replacement_at_the_same_price_is_underpriced(self, line: ChainLine) -> None:
        line.fund()
        line.world.halt()
        made = [sign(line.chain.build(line.transfer(units), OURS, 0)) for units in (400, 401)]
        line.chain.broadcast(made[0])
        with pytest.raises(NotSent) as unsent:
            line.chain.broadcast(made[1])
        assert unsent.value.reason == CannotSend.UNDERPRICED

    def test_coins_that_went_away_are_named(self, line: ChainLine) -> None:
        line.fund()
        made = sign(line.chain.build(line.transfer(1), OURS, 0))
        line.world.give_coins(OURS, 1)
        with pytest.raises(NotSent) as unsent:
            line.chain.broadcast(made)
        assert unsent.value.reason == CannotSend.NO_GAS_COIN

    def test_a_lost_answer_is_unknown_and_the_hash_is_known_before(self, line: ChainLine) -> None:
        line.fund()
        signed_bytes = sign(line.chain.build(line.transfer(400), OURS, 0))
        line.world.lose_answer()
        with pytest.raises(OutcomeUnknown):
            line.chain.broadcast(signed_bytes)
        line.world.go_on()
        with pytest.raises(AlreadyTaken):
            line.chain.broadcast(signed_bytes)
        assert line.chain.balances([PAYER], [line.code])[0].units == ((line.code, 400),)

    def test_nobody_listening_is_not_sent(self, line: ChainLine) -> None:
        line.fund()
        signed_bytes = sign(line.chain.build(line.transfer(400), OURS, 0))
        line.world.close()
        for ask in (line.chain.heads, lambda: line.chain.broadcast(signed_bytes)):
            with pytest.raises(NotSent) as unsent:
                ask()
            assert unsent.value.reason == CannotSend.NO_NODE

    def test_another_chain_is_misconfigured(self, line: ChainLine) -> None:
        line.fund()
        line.world.become_another()
        for ask in (
            line.chain.heads,
            lambda: line.chain.transaction("0x" + "ab" * 32),
            lambda: line.chain.transfers(0, 0, [line.token], [OURS]),
            lambda: line.chain.build(line.transfer(1), OURS, 0),
            lambda: line.chain.balances([OURS], [line.code]),
        ):
            with pytest.raises(Misconfigured):
                ask()
        assert FindingState.WRONG in {one.state for one in line.chain.self_check()}

    def test_balances_are_those_of_the_block(self, line: ChainLine) -> None:
        line.world.mint(line.code, PAYER, 1000)
        before = line.chain.heads().latest.number
        line.world.move(line.code, PAYER, OURS, 700)
        assert line.chain.balances([OURS, PAYER], [line.code], before)[0].units == ((line.code, 0),)
        now = line.chain.balances([OURS, PAYER], [line.code])
        assert [one.units for one in now] == [((line.code, 700),), ((line.code, 300),)]
        assert [one.address for one in now] == [OURS, PAYER]

    def test_a_sound_line_finds_nothing_wrong(self, line: ChainLine) -> None:
        assert {one.state for one in line.chain.self_check()} == {FindingState.OK}
