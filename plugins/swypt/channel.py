"""The off-ramp: tokens that went into Swypt's escrow become shillings on an M-Pesa phone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from plugins.kit.http import Budget
from plugins.swypt import escrow
from plugins.swypt.asked import Guard, over_limit, phone_number, refused, whole_shillings
from plugins.swypt.config import ChannelConfig, channel_config
from plugins.swypt.hints import read_hint
from plugins.swypt.history import Rows
from plugins.swypt.listed import check_assets, check_escrow
from plugins.swypt.mapping import RECEIPTS, no_news, paid_out
from plugins.swypt.orders import HistoryPage as Page
from plugins.swypt.prices import Out, Pricing, fee_of, tokens
from plugins.swypt.service import CALL_TIMEOUT_S, SwyptApiService
from plugins.swypt.tickets import write_ticket
from ports.abilities import (
    Ability,
    ChainStep,
    ChecksItself,
    FundingPlan,
    Landing,
    PlansFunding,
    Quotes,
    Rate,
    SelfFinding,
    TicketOrder,
    Tickets,
)
from ports.callback import Incoming, Reading
from ports.chain import IntentKind
from ports.context import Context, Environment
from ports.errors import Misconfigured
from ports.money import KES, Money
from ports.payment_rail import Question
from ports.payout_channel import (
    Bundle,
    ChannelCapabilities,
    DestinationKind,
    PaidMeans,
    PayoutChannel,
    PaysFrom,
    Submission,
)
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Repeat
from ports.report import FailureKind, Grade, Report, Status

#: The same hash gives the same order, so a repeat is safe. Nothing takes back what is in the escrow: no absence ever
#: supports a failure.
OFFRAMP = ChannelCapabilities(
    assets=(KES,),
    amount_min=1_000,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=36, alphabet="0123456789abcdef-", uuid=True),
    receipt_namespace=RECEIPTS,
    callback=CallbackScope.NONE,
    look_up=LookUp.ANSWERS,
    look_up_by=LookUpBy.PROVIDER_REFERENCE,
    repeat=Repeat.SAFE,
    look_up_ladder_s=(8, 5, 5, 7, 10, 15, 20, 30, 30, 30, 30, 120, 600, 1800, 3600),
    look_up_life_s=259_200,
    concurrency=8,
    calls_per_s=20,
    call_timeout_s=CALL_TIMEOUT_S,
    abilities=(
        Ability.QUOTE.value,
        Ability.PLAN_FUNDING.value,
        Ability.TICKET.value,
        Ability.SELF_CHECK.value,
    ),
    destinations=(DestinationKind.MPESA_PHONE,),
    max_items=1,
    paid_means=PaidMeans.FINAL,
    absence_s=None,
    pays_from=PaysFrom.CHAIN,
)

_HASH = re.compile(r"0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwyptOfframp(PayoutChannel, Quotes, PlansFunding, Tickets, ChecksItself):
    """One wallet's off-ramp of one token. Safe to share between threads."""

    config: ChannelConfig
    context: Context
    service: SwyptApiService
    guard: Guard

    @classmethod
    def build(cls, values: Mapping[str, object], context: Context) -> SwyptOfframp:
        """Make the channel of one connection. Raises Misconfigured, naming the fields that are wrong."""
        config = channel_config(values, context.environment)
        service = SwyptApiService(account=config.account, context=context)
        guard = Guard(context=context, service=service, token=config.token, bounds=config.bounds)
        return cls(config=config, context=context, service=service, guard=guard)

    def submit(self, bundle: Bundle) -> Submission:
        """Have one phone paid for the tokens of `funding`. The same hash again is AlreadyTaken, with their order.

        The amount isn't told: Swypt counts what the escrow got, at its rate of that moment.
        """
        if len(bundle.instructions) != 1:
            raise refused("a bundle is one payout")
        (instruction,) = bundle.instructions
        if instruction.destination.kind is not DestinationKind.MPESA_PHONE:
            raise refused("not a telephone", FailureKind.DESTINATION_INVALID)
        receiver = phone_number(instruction.destination.account)
        # The configured limits held when it was planned. To refuse by newer ones would leave tokens in the escrow.
        whole_shillings(instruction.amount, OFFRAMP, None)
        if bundle.funding is None or not _HASH.fullmatch(bundle.funding):
            raise refused("no transaction funds it")
        order_id = self.service.order_offramp(
            network=self.config.token.network,
            tx=bundle.funding.lower(),
            receiver=receiver,
            token=self.config.token.address,
            wallet=self.config.token.wallet,
            budget=Budget(CALL_TIMEOUT_S),
        )
        report = Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=instruction.reference,
            provider_reference=order_id,
        )
        return Submission(reports=(report,))

    def look_up(self, question: Question) -> Report:
        """Ask by their order; without one, find it by the hash that funded it."""
        budget = Budget(CALL_TIMEOUT_S)
        order_id = question.provider_reference or self._order_of(question.funding, budget)
        if order_id is None:
            return no_news(question.reference)
        order = self.service.offramp_status(order_id, budget)
        if order is None:
            return no_news(question.reference, found_nothing=True)
        return paid_out(order, question.reference, order_id)

    def _order_of(self, funding: str | None, budget: Budget) -> str | None:
        if funding is None or not self.service.has_histories:
            return None
        row = Rows(ask=self._ask).of_transaction(funding, budget)
        return row.order_id if row else None

    def _ask(self, page: int, budget: Budget) -> Page:
        return self.service.withdrawals(self.config.token.wallet, page, budget)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a hint: Swypt calls nobody."""
        return read_hint(incoming)

    # Prices

    def quote_in(self, amount: Money) -> Rate:
        """Tokens for shillings, at Swypt's price for collecting."""
        shillings = whole_shillings(amount, OFFRAMP, self.config.bounds)
        quote = self.service.quote(
            is_onramp=True,
            amount=Decimal(shillings),
            symbol=self.config.token.symbol,
            network=self.config.token.network,
            budget=Budget(CALL_TIMEOUT_S),
        )
        get = tokens(quote.got, self.config.token.asset, ROUND_FLOOR)
        least, most = self.config.bounds.least, self.config.bounds.most
        return Rate(
            give=amount,
            get=get,
            fee=fee_of(quote),
            limit_min=quote.limit_min or least,
            limit_max=quote.limit_max or most,
        )

    def quote_out(self, amount: Money) -> Rate:
        """The tokens that bring a recipient `amount`, with the fee."""
        return self._priced(amount).rate

    def _priced(self, amount: Money) -> Out:
        whole_shillings(amount, OFFRAMP, self.config.bounds)
        return Pricing(guard=self.guard, asset=self.config.token.asset).out(amount, Budget(CALL_TIMEOUT_S))

    def landing(self) -> Landing:
        """The pooled wallet and the token of the configuration."""
        token = self.config.token
        return Landing(network=token.network, address=token.wallet.lower(), asset=token.asset)

    def plan_funding(self, amount: Money, wallet: str) -> FundingPlan:
        """Approve exactly what the escrow takes, then call it. Raises Misconfigured for another wallet than ours."""
        if wallet.lower() != self.config.token.wallet.lower():
            raise Misconfigured("plan: the tokens would leave another wallet than the one configured")
        self.guard.stand_by_pin()
        priced = self._priced(amount)
        if not priced.rate.limit_min <= amount or not amount <= priced.rate.limit_max:
            raise over_limit()
        sent = priced.rate.give.units - (0 if self.config.is_fee_in_amount else priced.fee_units)
        code = self.config.token.asset.code
        data = escrow.call_data(
            self.config.escrow_abi,
            escrow.Withdrawal(
                token=self.config.token.contract,
                amount=sent,
                fee=priced.fee_units,
                rate=priced.shillings_per_token,
            ),
        )
        approve = ChainStep(kind=IntentKind.APPROVE.value, to=self.config.escrow, asset=code, units=sent)
        withdraw = ChainStep(
            kind=IntentKind.CALL.value, to=self.config.escrow, asset=code, units=0, data=data, spends=sent
        )
        return FundingPlan(network=self.config.token.network, asset=code, steps=(approve, withdraw), rate=priced.rate)

    # Tickets and facts

    def ticket(self, order: TicketOrder) -> str:
        """Ask Swypt's people about a payout."""
        return write_ticket(
            order,
            token=self.config.token,
            service=self.service,
            context=self.context,
            is_onramp=False,
            budget=Budget(CALL_TIMEOUT_S),
        )

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """Whether Swypt lists the token that is configured, and whether the escrow is a known one."""
        del now
        is_live = self.context.environment is Environment.LIVE
        found = check_escrow(self.config.token.network, self.config.escrow, is_live=is_live)
        return (*check_assets(self.guard, Budget(CALL_TIMEOUT_S)), *found)
