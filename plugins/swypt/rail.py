"""The on-ramp: an M-Pesa prompt whose shillings become tokens in a pooled wallet once they are released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from plugins.kit.http import Budget
from plugins.swypt import history, prices
from plugins.swypt.asked import Guard, phone_number, whole_shillings
from plugins.swypt.config import RailConfig, rail_config
from plugins.swypt.hints import read_hint
from plugins.swypt.history import Rows
from plugins.swypt.listed import check_assets
from plugins.swypt.mapping import PROMPT_LIFE_S, RECEIPTS, collected, no_news
from plugins.swypt.orders import HistoryPage as Page
from plugins.swypt.orders import HistoryRow, token_units
from plugins.swypt.service import CALL_TIMEOUT_S, SwyptApiService
from plugins.swypt.tickets import write_ticket
from ports.abilities import (
    Ability,
    ChecksItself,
    Delivers,
    Delivery,
    DeliveryOrder,
    DeliveryState,
    FindsLost,
    History,
    HistoryPage,
    Landing,
    LostStart,
    Quotes,
    Rate,
    SelfFinding,
    Suggestion,
    TicketOrder,
    Tickets,
)
from ports.callback import Incoming, Reading
from ports.context import Context
from ports.errors import Misconfigured, NotSent, OutcomeUnknown
from ports.money import KES, Money
from ports.payment_rail import Collection, LandsIn, PaymentRail, Question, RailCapabilities, StartsBy
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Repeat
from ports.report import ActionKind, Grade, NextAction, Report, Status

#: Quick questions for three minutes, slow ones for three days: a late success is Swypt's to tell, and silence proves
#: nothing. M-Pesa's own ceiling is 250,000; Swypt's limits, of the configuration and of its quote, are narrower.
ONRAMP = RailCapabilities(
    assets=(KES,),
    amount_min=100,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=12, tagged=True),
    receipt_namespace=RECEIPTS,
    callback=CallbackScope.NONE,
    look_up=LookUp.ANSWERS,
    look_up_by=LookUpBy.PROVIDER_REFERENCE,
    repeat=Repeat.DOUBLES,
    look_up_ladder_s=(8, 5, 5, 5, 7, 10, 10, 15, 15, 20, 30, 30, 30, 120, 600, 1800, 3600),
    look_up_life_s=259_200,
    concurrency=8,
    calls_per_s=20,
    call_timeout_s=CALL_TIMEOUT_S,
    abilities=(
        Ability.DELIVER.value,
        Ability.HISTORY.value,
        Ability.QUOTE.value,
        Ability.FIND_LOST.value,
        Ability.TICKET.value,
        Ability.SELF_CHECK.value,
    ),
    starts_by=StartsBy.PROMPT,
    fixed_amount=True,
    one_payment=True,
    prompt_life_s=PROMPT_LIFE_S,
    grace_s=60,
    reference_travels=False,
    lands_in=LandsIn.CLEARING,
    delivers=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwyptOnramp(PaymentRail, Delivers, History, Quotes, FindsLost, Tickets, ChecksItself):
    """One wallet's on-ramp of one token. Safe to share between threads."""

    config: RailConfig
    context: Context
    service: SwyptApiService
    guard: Guard

    @classmethod
    def build(cls, values: Mapping[str, object], context: Context) -> SwyptOnramp:
        """Make the rail of one connection. Raises Misconfigured, naming the fields that are wrong."""
        config = rail_config(values, context.environment)
        service = SwyptApiService(account=config.account, context=context)
        guard = Guard(context=context, service=service, token=config.token, bounds=config.bounds)
        return cls(config=config, context=context, service=service, guard=guard)

    def start(self, collection: Collection) -> Report:
        """Prompt the payer. Our reference isn't told: the same collection twice prompts twice."""
        budget = Budget(CALL_TIMEOUT_S)
        payer = phone_number(collection.payer)
        shillings = whole_shillings(collection.amount, ONRAMP, self.config.bounds)
        self.guard.stand_by_pin()
        self.guard.keep_to_limits(collection.amount, budget)
        order_id = self.service.start_onramp(
            payer=payer,
            shillings=shillings + self._fee_on_top(shillings, budget),
            wallet=self.config.token.wallet,
            token=self.config.token.address,
            budget=budget,
        )
        return Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=collection.reference,
            provider_reference=order_id,
            next_action=NextAction(kind=ActionKind.PROMPT, life_s=PROMPT_LIFE_S),
        )

    def _fee_on_top(self, shillings: int, budget: Budget) -> int:
        """What the payer is asked beside the amount, in shillings: nothing, unless it is configured."""
        if not self.config.fee_on_top:
            return 0
        try:
            fee = self.guard.quote_in(Decimal(shillings), budget).fee or Decimal(0)
        except OutcomeUnknown:
            # A quote without answer asked nobody for money.
            raise NotSent("onramp: the fee isn't known", retry_after_s=10) from None
        return int(fee.to_integral_value(rounding=ROUND_CEILING))

    def look_up(self, question: Question) -> Report:
        """Ask by their order. Without one there is nothing to ask with: no news, and no call."""
        if question.provider_reference is None:
            return no_news(question.reference)
        order = self.service.onramp_status(question.provider_reference, Budget(CALL_TIMEOUT_S))
        if order is None:
            return no_news(question.reference, found_nothing=True)
        return collected(order, question.reference, question.provider_reference)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a hint: Swypt calls nobody."""
        return read_hint(incoming)

    # The second step

    def landing(self) -> Landing:
        """The pooled wallet and the token of the configuration."""
        token = self.config.token
        return Landing(network=token.network, address=token.wallet.lower(), asset=token.asset)

    def deliver(self, order: DeliveryOrder) -> Delivery:
        """Have the tokens sent. They are counted at Swypt's rate of that moment."""
        self._is_ours(order)
        self.guard.stand_by_pin()
        sent = self.service.deposit(
            network=self.config.token.network,
            wallet=self.config.token.wallet,
            order_id=order.provider_reference,
            budget=Budget(CALL_TIMEOUT_S),
        )
        return self._delivery(sent.tx, sent.tokens, "released, and no transaction is named")

    def look_up_delivery(self, order: DeliveryOrder) -> Delivery:
        """The order's row in the history; with v1 paths, the transaction that its status names."""
        self._is_ours(order)
        budget = Budget(CALL_TIMEOUT_S)
        if not self.service.has_histories:
            told = self.service.onramp_status(order.provider_reference, budget)
            if told is None or told.tx is None:
                return Delivery(state=DeliveryState.NO_NEWS)
            return self._delivery(told.tx, told.tokens, "")
        row = self._rows().of_order(order.provider_reference, budget)
        if row is None:
            return Delivery(state=DeliveryState.NO_NEWS)
        return self._row_says(row)

    def _row_says(self, row: HistoryRow) -> Delivery:
        if row.is_sent:
            return self._delivery(row.tx, row.tokens, "sent, and no transaction is named")
        # Nothing says that it will be: a release that got lost may be asked for again, since that is safe.
        return Delivery(state=DeliveryState.NO_NEWS, detail="listed, and not sent")

    def _delivery(self, tx: str | None, tokens: Decimal | None, otherwise: str) -> Delivery:
        if tx is None:
            return Delivery(state=DeliveryState.PENDING, detail=otherwise)
        return Delivery(state=DeliveryState.SENT, tx=tx, units=token_units(tokens, self.config.token.asset))

    def _is_ours(self, order: DeliveryOrder) -> None:
        token = self.config.token
        same = (order.network, order.address.lower(), order.asset) == (
            token.network,
            token.wallet.lower(),
            token.asset.code,
        )
        if not same:
            raise Misconfigured("deliver: this connection has another wallet, network or token")

    # Reading all of it

    def history(self, since: datetime, until: datetime, cursor: str | None) -> HistoryPage:
        """What was paid, newest first. Times of rows lie by hours, so more than the window comes, never less."""
        del until  # Rows that are newer than the window are welcome.
        return history.page_of_money(
            self._ask, since, cursor, Budget(CALL_TIMEOUT_S), fee_on_top=self.config.fee_on_top
        )

    def find_lost(self, lost: LostStart) -> tuple[Suggestion, ...]:
        """Rows of that payer, amount and time."""
        payer = phone_number(lost.payer)
        return history.suggestions(self._rows(), lost, payer, Budget(CALL_TIMEOUT_S), fee_on_top=self.config.fee_on_top)

    def _ask(self, page: int, budget: Budget) -> Page:
        return self.service.deposits(self.config.token.wallet, page, budget)

    def _rows(self) -> Rows:
        return Rows(ask=self._ask)

    # Prices, tickets, facts

    def quote_in(self, amount: Money) -> Rate:
        """Tokens for shillings."""
        shillings = whole_shillings(amount, ONRAMP, self.config.bounds)
        quote = self.guard.quote_in(Decimal(shillings), Budget(CALL_TIMEOUT_S))
        least, most = self.guard.limits(quote)
        return Rate(
            give=amount,
            get=prices.tokens(quote.got, self.config.token.asset, ROUND_FLOOR),
            fee=prices.fee_of(quote),
            limit_min=least,
            limit_max=most,
        )

    def quote_out(self, amount: Money) -> Rate:
        """Shillings for tokens: what a payout of `amount` would take."""
        return prices.Pricing(guard=self.guard, asset=self.config.token.asset).out(amount, Budget(CALL_TIMEOUT_S)).rate

    def ticket(self, order: TicketOrder) -> str:
        """Ask Swypt's people about a collection."""
        return write_ticket(
            order,
            token=self.config.token,
            service=self.service,
            context=self.context,
            is_onramp=True,
            budget=Budget(CALL_TIMEOUT_S),
        )

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """Whether Swypt lists the token that is configured; `now` is not needed for it."""
        del now
        return check_assets(self.guard, Budget(CALL_TIMEOUT_S))
