"""The push rail: a prompt on the payer's phone, for a paybill or a till. Client and mapping, no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from plugins.mpesa import orders, pull, wire
from plugins.mpesa.asked import refused, reply_url, whole_shillings
from plugins.mpesa.client import CALL_TIMEOUT_S, Daraja
from plugins.mpesa.config import RailConfig, rail_config
from plugins.mpesa.mapping import PROMPT_LIFE_S, RECEIPTS, push_looked_up, push_started
from plugins.mpesa.operator import Operator, ages
from plugins.mpesa.order_results import is_of_an_order, read_order_callback
from plugins.mpesa.results import REPLY, read_push_callback
from plugins.mpesa.statement import read_statement
from ports.abilities import (
    Ability,
    ChecksItself,
    History,
    HistoryPage,
    ReadsFiles,
    RefundOrder,
    Refunds,
    SelfFinding,
)
from ports.callback import Incoming, Reading
from ports.context import Context
from ports.money import KES
from ports.payment_rail import (
    Collection,
    LandsIn,
    PaymentRail,
    Question,
    RailCapabilities,
    RefundDestination,
    StartsBy,
)
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Repeat
from ports.report import FailureKind, Grade, Report, Status
from ports.statement import StatementFile

#: From 1 to 250,000 whole shillings; the account reference has at most 12 characters (Daraja portal, December 2025).
#: A repeated call is a second prompt and possibly a second charge.
PUSH = RailCapabilities(
    assets=(KES,),
    amount_min=100,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=12, tagged=True),
    receipt_namespace=RECEIPTS,
    callback=CallbackScope.PER_CALL,
    look_up=LookUp.ANSWERS,
    look_up_by=LookUpBy.PROVIDER_REFERENCE,
    repeat=Repeat.DOUBLES,
    look_up_ladder_s=(30, 15, 30, 60, 120),
    look_up_life_s=900,
    call_timeout_s=CALL_TIMEOUT_S,
    abilities=(Ability.REFUND.value, Ability.HISTORY.value, Ability.READ_FILE.value, Ability.SELF_CHECK.value),
    refund_repeat=Repeat.DOUBLES,
    partial_refunds=False,
    acknowledgement=REPLY,
    starts_by=StartsBy.PROMPT,
    fixed_amount=True,
    one_payment=True,
    prompt_life_s=PROMPT_LIFE_S,
    grace_s=60,
    lands_in=LandsIn.FLOAT,
    refund_destination=RefundDestination.ORIGIN,
)

_REFERENCE = re.compile(r"[A-Z0-9-]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MpesaPush(PaymentRail, Refunds, History, ReadsFiles, ChecksItself):
    """One paybill's or till's pushes. Safe to share between threads."""

    config: RailConfig
    context: Context
    daraja: Daraja
    operator: Operator | None

    @classmethod
    def build(cls, values: Mapping[str, object], context: Context) -> MpesaPush:
        """Make the rail of one connection. Raises Misconfigured, naming the fields that are wrong."""
        config = rail_config(values, context.environment)
        return cls(
            config=config,
            context=context,
            daraja=Daraja(account=config.account, context=context),
            operator=Operator.of(config.operator) if config.operator else None,
        )

    def start(self, collection: Collection) -> Report:
        """Prompt the payer. The same collection twice prompts twice."""
        if not _REFERENCE.fullmatch(collection.reference):
            raise refused("the reference has another form")
        payer = wire.phone_number(collection.payer)
        if payer is None:
            raise refused("not a Kenyan mobile number", FailureKind.DESTINATION_INVALID)
        body = wire.push_body(
            shortcode=self.config.shortcode,
            party=self.config.party,
            is_till=self.config.is_till,
            passkey=self.config.passkey,
            timestamp=wire.stamp(self.context.clock()),
            amount=whole_shillings(collection.amount, PUSH),
            payer=payer,
            reply_url=reply_url(collection.reply_to, self.context.environment),
            reference=collection.reference,
            text=collection.text,
        )
        return push_started(self.daraja.call("push", wire.PUSH_PATH, body), collection.reference)

    def look_up(self, question: Question) -> Report:
        """Ask by their id. Without one there is nothing to ask with: no news, and no call."""
        if question.provider_reference is None:
            return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference)
        body = wire.push_query_body(
            shortcode=self.config.shortcode,
            passkey=self.config.passkey,
            timestamp=wire.stamp(self.context.clock()),
            checkout_request_id=question.provider_reference,
        )
        answer = self.daraja.call("push_query", wire.PUSH_QUERY_PATH, body)
        return push_looked_up(answer, question.reference, question.provider_reference)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read the outcome of a push, or what came of a reversal or a question."""
        return read_order_callback(incoming) if is_of_an_order(incoming) else read_push_callback(incoming)

    def refund(self, order: RefundOrder) -> Report:
        """Reverse a payment, all of it. A repeat may be a second order: OutcomeUnknown unless certainly refused."""
        return orders.reverse(self.daraja, self.operator, self.config.shortcode, order, self.context.environment)

    def look_up_refund(self, question: Question) -> Report:
        """Ask about a reversal by Safaricom's id of it."""
        return orders.ask_by_their_id(
            self.daraja, self.operator, self.config.shortcode, question, self.context.environment
        )

    def history(self, since: datetime, until: datetime, cursor: str | None) -> HistoryPage:
        """What customers sent in the window, of the last 48 hours at most."""
        return pull.page(self.daraja, self.config.shortcode, since, until, cursor, self.context)

    def read_file(self, name: str, content: bytes) -> StatementFile:
        """Read the organisation's statement."""
        return read_statement(name, content)

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """The ages of the operator's password and certificate."""
        return tuple(ages(self.config.operator, now))
