"""Sending from a pooled wallet: one sender a wallet, bytes kept before a node sees them, the chain's word at the end.

A transaction's number is taken in the transaction that keeps its signed bytes, so that no crash leaves a gap or uses a
number twice. Whatever happens to an answer, the same bytes are sent again: the hash was known before the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.chain_settling import SettleTransfer
from gateway.application.interfaces import AsksSigner, Call, ChainLines, OpenUnit, SignerRefused
from gateway.application.money_in import house
from gateway.domain.chain_transfers import OUT, ChainTransfer, Signed, TransferState, TransferStep
from gateway.domain.wallets import Wallet, WalletState
from ports.chain import Chain, IntentKind, Mined, Unsigned
from ports.errors import AlreadyTaken, NotSent, OutcomeUnknown, PortError, Refused

#: Transactions of one wallet that may be out at a time: a node keeps few of one sender in its pool.
OUT_MAX = 16
#: One that nobody mines for so long is signed again at a higher price.
STUCK = timedelta(seconds=60)
#: A wallet with something out is looked at so often.
LOOK_S = 1
#: A wallet that can't send now is looked at again after this.
WAIT_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One wallet's work in one run."""

    wallet: Wallet
    chain: Chain
    transfers: Sequence[ChainTransfer]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFromWallet:
    """Look after what a wallet has out, then send what waits. There is one due row a wallet: one sender at a time; and
    where two ran all the same, the number that each took decides."""

    unit: OpenUnit
    lines: ChainLines
    signer: AsksSigner
    settle: SettleTransfer

    def __call__(self, wallet_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None when nothing is open."""
        with self.unit(house(call.livemode), read_only=True) as work:
            wallet = work.wallets.get(wallet_id)
            transfers = work.chain_transfers.open_of(wallet_id)
            connection = work.connections.get(wallet.connection_id)
            now = work.now
        if not transfers:
            return None
        sending = Sending(wallet=wallet, chain=self.lines.chain(connection), transfers=transfers)
        try:
            for transfer in transfers:
                if transfer.state in OUT:
                    self._follow(sending, transfer, now)
            waits = self._send_new(sending)
        except (NotSent, OutcomeUnknown):
            # The node is away: what is kept is sent again next time.
            return now + timedelta(seconds=WAIT_S)
        return now + timedelta(seconds=WAIT_S if waits else LOOK_S)

    # What is out

    def _follow(self, sending: Sending, transfer: ChainTransfer, now: datetime) -> None:
        with self.unit(house(transfer.livemode), read_only=True) as work:
            kept = work.chain_transfers.signed(transfer.id)
        found = [(one, sending.chain.transaction(one.tx)) for one in kept]
        mined = next(((one, tx) for one, tx in found if tx.state in (Mined.OK, Mined.REVERTED)), None)
        if mined is not None:
            self.settle.mined(sending.chain, transfer, *mined)
            return
        if transfer.state is TransferState.CONFIRMING:
            transfer = self._step(transfer, TransferStep.LOSE_BLOCK, block=None, block_hash=None)
        newest = kept[0]
        if all(tx.state is Mined.NOT_SEEN for _, tx in found):
            self._send(sending, transfer, newest)
        elif transfer.sent_at is not None and now > transfer.sent_at + STUCK:
            self._replace(sending, transfer, newest)

    def _replace(self, sending: Sending, transfer: ChainTransfer, before: Signed) -> None:
        """Sign it again at a higher price, under the same number: one of the two can be mined."""
        above = Unsigned(
            content=b"",
            nonce=before.nonce,
            gas=0,
            tip=before.tip,
            max_fee=before.max_fee,
            fee_units_max=0,
        )
        try:
            signed = self._signed(sending, transfer, before.nonce, above)
        except (Refused, SignerRefused):
            # Its price has a cap, or the day's limit is reached: it stays out as it is, and is sent again.
            self._send(sending, transfer, before)
            return
        with self.unit(house(transfer.livemode)) as work:
            work.chain_transfers.keep(transfer.network, signed)
        self._send(sending, transfer, signed)

    # What waits

    def _send_new(self, sending: Sending) -> bool:
        """Send as many as may be out; gives whether some have to wait for better times."""
        if sending.wallet.state is WalletState.PAUSED:
            return True
        out = sum(one.state in OUT for one in sending.transfers)
        for transfer in sending.transfers:
            if transfer.state is not TransferState.BUILT or out >= OUT_MAX or not self._is_next(transfer):
                continue
            try:
                sent = self._first(sending, transfer)
            except NotSent:
                return True
            if not sent:
                return True
            out += 1
            sending = replace(sending, wallet=replace(sending.wallet, next_nonce=sending.wallet.next_nonce + 1))
        return False

    def _is_next(self, transfer: ChainTransfer) -> bool:
        """Whether the steps before it in its conversion are mined: its dry run needs what they did."""
        if transfer.conversion_id is None or transfer.step == 0:
            return True
        with self.unit(house(transfer.livemode), read_only=True) as work:
            before = [
                one for one in work.chain_transfers.of_conversion(transfer.conversion_id) if one.step < transfer.step
            ]
        return all(one.state in (TransferState.CONFIRMING, TransferState.CONFIRMED) for one in before)

    def _first(self, sending: Sending, transfer: ChainTransfer) -> bool:
        """Build, sign, keep and number it in one transaction, then send. False when the number was another's."""
        try:
            signed = self._signed(sending, transfer, sending.wallet.next_nonce, None)
        except (Refused, SignerRefused) as no:
            self.settle.refused(transfer, str(no))
            return True
        with self.unit(house(transfer.livemode)) as work:
            current = work.chain_transfers.get(transfer.id, lock=True)
            if current.state is not TransferState.BUILT or not work.wallets.take_nonce(sending.wallet):
                return False
            work.chain_transfers.keep(transfer.network, signed)
            transfer = work.chain_transfers.save(
                current.take(
                    TransferStep.SIGN,
                    work.now,
                    nonce=signed.nonce,
                    tip=signed.tip,
                    max_fee=signed.max_fee,
                    tx=signed.tx,
                )
            )
        self._send(sending, transfer, signed)
        return True

    def _signed(self, sending: Sending, transfer: ChainTransfer, nonce: int, above: Unsigned | None) -> Signed:
        facts, wallet = sending.chain.facts, sending.wallet
        unsigned = sending.chain.build(transfer.intent, wallet.address, nonce, above)
        token = facts.token(transfer.intent.asset)
        address = None if token is None or transfer.intent.kind is IntentKind.CALL else token.address
        raw, tx = self.signer.sign(wallet.address, transfer.intent, unsigned, chain_id=facts.chain_id, token=address)
        return Signed(
            tx=tx,
            transfer_id=transfer.id,
            raw=raw,
            nonce=nonce,
            tip=unsigned.tip,
            max_fee=unsigned.max_fee,
            created=transfer.updated,
        )

    def _send(self, sending: Sending, transfer: ChainTransfer, signed: Signed) -> None:
        """Send bytes that are kept. What a node says is noted; what becomes of it the chain says."""
        word = "accepted"
        try:
            sending.chain.broadcast(signed.raw)
        except AlreadyTaken:
            word = "known"
        except PortError as error:
            word = f"{type(error).__name__}: {error}"[:200]
        with self.unit(house(transfer.livemode)) as work:
            current = work.chain_transfers.get(transfer.id, lock=True)
            if current.state not in OUT or current.state is TransferState.CONFIRMING:
                return
            work.chain_transfers.save(
                current.take(
                    TransferStep.SEND,
                    work.now,
                    tx=signed.tx,
                    tip=signed.tip,
                    max_fee=signed.max_fee,
                    sent_at=work.now if current.tx != signed.tx or current.sent_at is None else current.sent_at,
                    failure=None if word in ("accepted", "known") else word,
                )
            )
            if "no_gas_coin" in word:
                work.alerts.raise_("gas_low", transfer.wallet_id, f"{transfer.network}: the wallet can't pay its fees")

    def _step(self, transfer: ChainTransfer, step: TransferStep, **changes: object) -> ChainTransfer:
        with self.unit(house(transfer.livemode)) as work:
            current = work.chain_transfers.get(transfer.id, lock=True)
            return work.chain_transfers.save(current.take(step, work.now, **changes))
