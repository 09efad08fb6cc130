"""Payouts that draw on a chain: planned with the channel, paid for by final transactions of ours, and only then sent.

Until tokens have left, a failure is plain: nothing was paid. Once they have, the partner holds them, whatever it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from gateway.application.attempts import PAUSED_S, built, pause
from gateway.application.chain_settling import wallet_is_due
from gateway.application.interfaces import Call, Due, OpenUnit, Providers, UnitOfWork
from gateway.application.payout_attempts import lock_payout
from gateway.application.payout_reports import fail_payout
from gateway.domain.chain_transfers import ChainTransfer, TransferState
from gateway.domain.connections import Connection
from gateway.domain.conversions import Conversion, ConversionStep, Direction
from gateway.domain.payouts import PayoutAttempt, PayoutAttemptState
from gateway.domain.wallets import Wallet, WalletState
from ports.abilities import ChainStep, FundingPlan, PlansFunding
from ports.chain import Intent, IntentKind
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.report import Failure, FailureKind, TryAgain

#: A plan that can't be made now is made again after this.
AGAIN_S = 15
#: The most that one transaction's fee may be, in the native coin's smallest part: the signer has a limit of its own.
FEE_CAP_UNITS = 10**17

_GONE = (TransferState.FAILED, TransferState.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundPayout:
    """Plan the funding of a payout attempt: its conversion and the chain's steps, once."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None: it is planned, or needs none."""
        with self.unit(call.scope, call=call) as work:
            attempt = work.payout_attempts.get(attempt_id)
            if attempt.state is not PayoutAttemptState.CREATED or work.conversions.of_source(attempt_id) is not None:
                return None
            connection = work.connections.get(attempt.connection_id)
            landing = cast(PlansFunding, built(self.providers.channel, connection)).landing()
            wallet = work.wallets.at(landing.network, landing.address.lower())
            now = work.now
        if wallet is None or wallet.state is WalletState.PAUSED:
            return now + timedelta(seconds=PAUSED_S)
        try:
            plan = cast(PlansFunding, self.providers.channel(connection)).plan_funding(attempt.amount, wallet.address)
        except Refused as refused:
            self._fail(attempt_id, refused.failure, call)
            return None
        except (NotSent, OutcomeUnknown):
            # A price was asked for, and nothing ordered.
            return now + timedelta(seconds=AGAIN_S)
        except Misconfigured as wrong:
            pause(self.unit, connection.id, str(wrong), call)
            return now + timedelta(seconds=PAUSED_S)
        with self.unit(call.scope, call=call) as work:
            self._plan(work, work.payout_attempts.get(attempt_id, lock=True), connection, wallet, plan)
        return None

    def _plan(
        self, work: UnitOfWork, attempt: PayoutAttempt, connection: Connection, wallet: Wallet, plan: FundingPlan
    ) -> None:
        if attempt.state is not PayoutAttemptState.CREATED:
            return
        conversion = Conversion(
            id=work.new_id(),
            livemode=attempt.livemode,
            created=work.now,
            updated=work.now,
            direction=Direction.OUT,
            connection_id=connection.id,
            business_id=attempt.business_id,
            source_id=attempt.id,
            network=plan.network,
            address=wallet.address,
            fiat=attempt.amount,
            fee=plan.rate.fee if plan.rate.fee.asset == attempt.amount.asset else replace(attempt.amount, units=0),
            tokens=replace(plan.rate.give, units=sum(step.spends for step in plan.steps)),
            reference=attempt.reference,
        )
        conversion = conversion.take(ConversionStep.REQUEST, work.now)
        if not work.conversions.add(conversion):
            return
        for number, step in enumerate(plan.steps):
            work.chain_transfers.add(_transfer(work, conversion, wallet, number, step))
        wallet_is_due(work, wallet.id)

    def _fail(self, attempt_id: UUID, failure: Failure, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            payout, attempt = lock_payout(work, attempt_id)
            if attempt.state is PayoutAttemptState.CREATED:
                fail_payout(work, payout, attempt, failure)


def _transfer(work: UnitOfWork, conversion: Conversion, wallet: Wallet, number: int, step: ChainStep) -> ChainTransfer:
    return ChainTransfer(
        id=work.new_id(),
        livemode=conversion.livemode,
        created=work.now,
        updated=work.now,
        network=conversion.network,
        wallet_id=wallet.id,
        purpose="payout",
        business_id=conversion.business_id,
        conversion_id=conversion.id,
        step=number,
        intent=Intent(
            kind=IntentKind(step.kind),
            asset=step.asset,
            to=step.to.lower(),
            units=step.units,
            fee_cap_units=FEE_CAP_UNITS,
            data=step.data,
        ),
        spends=step.spends,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowFunding:
    """A step of a payout's funding was settled: send the next, hand the payout on, or let the attempt fail."""

    unit: OpenUnit

    def __call__(self, conversion_id: UUID, call: Call) -> datetime | None:
        """None: whatever comes next is due by itself."""
        with self.unit(call.scope, call=call) as work:
            conversion = work.conversions.get(conversion_id, lock=True)
            if conversion.direction is not Direction.OUT or not conversion.is_open:
                return None
            steps = work.chain_transfers.of_conversion(conversion_id)
            payout, attempt = lock_payout(work, conversion.source_id)
            if any(step.state in _GONE for step in steps):
                self._give_up(work, conversion, steps)
                if attempt.state is PayoutAttemptState.CREATED:
                    fail_payout(work, payout, attempt, _failure_of(steps))
            elif all(step.state is TransferState.CONFIRMED for step in steps):
                work.conversions.save(conversion.take(ConversionStep.EXECUTE, work.now, tx=steps[-1].tx))
                work.due.put(Due(kind="payout.submit", subject_id=payout.id, due_at=work.now))
            else:
                wallet_is_due(work, steps[0].wallet_id)
        return None

    def _give_up(self, work: UnitOfWork, conversion: Conversion, steps: Sequence[ChainTransfer]) -> None:
        """What comes after a failed step isn't sent. Tokens that left before it stay with whoever has them."""
        for step in steps:
            if step.state is TransferState.BUILT:
                current = work.chain_transfers.get(step.id, lock=True)
                if current.state is TransferState.BUILT:
                    work.chain_transfers.save(replace(current, state=TransferState.REFUSED, failure="not needed"))
        if any(step.spends and step.state is TransferState.CONFIRMED for step in steps):
            work.alerts.raise_("tokens_left", conversion.id, "tokens left for a payout that won't be made with them")
        work.conversions.save(conversion.take(ConversionStep.FAIL, work.now))


def _failure_of(steps: Sequence[ChainTransfer]) -> Failure:
    why = next((step.failure for step in steps if step.state in _GONE and step.failure != "not needed"), None)
    return Failure(
        kind=FailureKind.RAIL_UNAVAILABLE, detail=(why or "the chain refused")[:80], try_again=TryAgain.ANOTHER_WAY
    )
