"""The chain's word on a transaction of ours: mined, deep enough, reverted; and what the books make of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.application.interfaces import Call, Due, OpenUnit, Scope, UnitOfWork
from gateway.domain.chain_transfers import ChainTransfer, Signed, TransferState, TransferStep
from gateway.domain.chain_watch import is_deep
from gateway.domain.postings_of_treasury import gas_burnt, tokens_sent
from ports.chain import Chain, Depth, Mined, Tag, Transaction

#: What we sent is believed when it is final: a payout in fiat that rests on it can't be taken back.
FINAL = Depth(tag=Tag.FINALIZED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleTransfer:
    """Takes a transfer of ours where the chain leads it. Repeats don't matter: keys and states are single."""

    unit: OpenUnit
    depth: Depth = FINAL

    def mined(self, chain: Chain, transfer: ChainTransfer, signed: Signed, found: Transaction) -> None:
        """One of its signatures is in a block. Deep enough, it is settled: booked, and whoever waits is told."""
        if found.block is None:
            return
        deep = is_deep(found.block, self.depth, chain.heads())
        scope = Scope(business_id=transfer.business_id, livemode=transfer.livemode)
        with self.unit(scope, call=Call(business_id=scope.business_id, livemode=scope.livemode)) as work:
            current = work.chain_transfers.get(transfer.id, lock=True)
            if current.state in (TransferState.CONFIRMED, TransferState.FAILED, TransferState.REFUSED):
                return
            current = current.take(
                TransferStep.MINE,
                work.now,
                tx=signed.tx,
                block=found.block,
                block_hash=found.block_hash,
                fee_units=found.fee_units,
            )
            if deep:
                self._settle(work, current, found)
            else:
                work.chain_transfers.save(current)

    def _settle(self, work: UnitOfWork, transfer: ChainTransfer, found: Transaction) -> None:
        done = found.state is Mined.OK and _did(transfer, found)
        step = TransferStep.SETTLE if done else TransferStep.REVERT
        why = None if done else ("reverted" if found.state is Mined.REVERTED else "no_such_transfer")
        settled = work.chain_transfers.save(transfer.take(step, work.now, failure=why))
        if found.fee_asset is not None and found.fee_units:
            work.journal.post(
                gas_burnt(
                    transfer.network,
                    found.hash,
                    transfer.wallet_id,
                    found.fee_asset,
                    found.fee_units,
                    livemode=transfer.livemode,
                    at=work.now,
                )
            )
        if done and transfer.spends and transfer.conversion_id is not None:
            conversion = work.conversions.get(transfer.conversion_id)
            work.journal.post(
                tokens_sent(
                    transfer.network,
                    found.hash,
                    transfer.wallet_id,
                    conversion.connection_id,
                    conversion.tokens.asset,
                    transfer.spends,
                    livemode=transfer.livemode,
                    at=work.now,
                    ref=str(conversion.id),
                )
            )
        _wake(work, settled)

    def refused(self, transfer: ChainTransfer, why: str) -> None:
        """It was never signed: a dry run reverted, a fee is above its cap, or the signer's rules say no."""
        scope = Scope(business_id=transfer.business_id, livemode=transfer.livemode)
        with self.unit(scope, call=Call(business_id=scope.business_id, livemode=scope.livemode)) as work:
            current = work.chain_transfers.get(transfer.id, lock=True)
            if current.state is not TransferState.BUILT:
                return
            refused = work.chain_transfers.save(current.take(TransferStep.REFUSE, work.now, failure=why[:200]))
            work.alerts.raise_("transfer_refused", transfer.id, f"{transfer.network}: {why[:120]}")
            _wake(work, refused)


def _wake(work: UnitOfWork, transfer: ChainTransfer) -> None:
    """Whoever waits for it looks at once; the wallet looks for what may go next."""
    if transfer.conversion_id is not None:
        work.due.put(Due(kind="conversion.fund", subject_id=transfer.conversion_id, due_at=work.now))


def _did(transfer: ChainTransfer, found: Transaction) -> bool:
    """Whether the logs show what was wanted: a status alone isn't believed. An approval moves nothing."""
    if not transfer.spends:
        return True
    return sum(moved.units for moved in found.transfers if moved.sender == found.sender) >= transfer.spends


def wallet_is_due(work: UnitOfWork, wallet_id: UUID) -> None:
    """Have a wallet looked after, now."""
    work.due.put(Due(kind="wallet.send", subject_id=wallet_id, due_at=work.now))
