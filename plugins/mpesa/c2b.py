"""Money that customers send by themselves, to a paybill or a till: pay_to rails, confirmations, validation, Pull.

Sources: Daraja portal, December 2025 and August 2026; press on masked numbers, March 2026.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from plugins.kit.http import Budget
from plugins.mpesa import orders, pull, wire, wire_more
from plugins.mpesa.asked import reply_url
from plugins.mpesa.client import CALL_TIMEOUT_S, Daraja
from plugins.mpesa.config import PAYBILL_SCHEMA, TILL_SCHEMA, CollectConfig, collect_config
from plugins.mpesa.mapping import RECEIPTS
from plugins.mpesa.operator import Operator, ages
from plugins.mpesa.order_results import read_order_callback
from plugins.mpesa.registering import told_urls, with_pull
from plugins.mpesa.results import REPLY, grade_of, parsed_callback, unreadable
from plugins.mpesa.statement import read_statement
from ports.abilities import (
    Ability,
    ChecksItself,
    History,
    HistoryPage,
    MayBePaid,
    OwnAddresses,
    ReadsBalance,
    ReadsFiles,
    RefundOrder,
    Refunds,
    Registers,
    SelfFinding,
    Validation,
    Validator,
)
from ports.callback import Door, Incoming, Reading, ReplyTo
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
from ports.report import ActionKind, Grade, MoneyIn, NextAction, Pocket, Report, Status
from ports.statement import StatementFile

_ABILITIES = tuple(
    word.value
    for word in (
        Ability.REFUND,
        Ability.HISTORY,
        Ability.VALIDATE,
        Ability.REGISTER,
        Ability.BALANCE,
        Ability.READ_FILE,
        Ability.SELF_CHECK,
    )
)


def _capabilities(*, reference_travels: bool) -> RailCapabilities:
    """A payer sends what he likes, as often as he likes; nobody is called to begin with."""
    return RailCapabilities(
        assets=(KES,),
        amount_min=100,
        amount_max=25_000_000,
        amount_granularity=100,
        reference_form=ReferenceForm(max_length=12, tagged=True),
        receipt_namespace=RECEIPTS,
        callback=CallbackScope.PER_CONNECTION,
        look_up=LookUp.REPLIES,
        look_up_by=LookUpBy.RECEIPT,
        repeat=Repeat.SAFE,
        look_up_ladder_s=(30, 90, 480, 3_000, 14_400),
        look_up_life_s=172_800,
        call_timeout_s=CALL_TIMEOUT_S,
        abilities=_ABILITIES,
        refund_repeat=Repeat.DOUBLES,
        partial_refunds=False,
        acknowledgement=REPLY,
        starts_by=StartsBy.PAY_TO,
        fixed_amount=False,
        one_payment=False,
        reference_travels=reference_travels,
        lands_in=LandsIn.FLOAT,
        refund_destination=RefundDestination.ORIGIN,
    )


PAYBILL = _capabilities(reference_travels=True)
TILL = _capabilities(reference_travels=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MpesaCollects(PaymentRail, Refunds, History, Registers, ReadsBalance, ReadsFiles, ChecksItself):
    """One paybill or till. Safe to share between threads."""

    config: CollectConfig
    context: Context
    daraja: Daraja
    operator: Operator | None

    @classmethod
    def paybill(cls, values: Mapping[str, object], context: Context) -> MpesaCollects:
        """Make the rail of one paybill. Raises Misconfigured, naming the fields that are wrong."""
        return cls._of(collect_config(PAYBILL_SCHEMA, values, context.environment), context)

    @classmethod
    def till(cls, values: Mapping[str, object], context: Context) -> MpesaCollects:
        """Make the rail of one till. Raises Misconfigured, naming the fields that are wrong."""
        return cls._of(collect_config(TILL_SCHEMA, values, context.environment), context)

    @classmethod
    def _of(cls, config: CollectConfig, context: Context) -> MpesaCollects:
        return cls(
            config=config,
            context=context,
            daraja=Daraja(account=config.account, context=context),
            operator=Operator.of(config.operator) if config.operator else None,
        )

    def start(self, collection: Collection) -> Report:
        """Say where to pay; nobody is called."""
        place: tuple[tuple[str, str], ...] = (("paybill", self.config.shortcode), ("account", collection.reference))
        if self.config.till is not None:
            place = (("till", self.config.till),)
        return Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=collection.reference,
            next_action=NextAction(kind=ActionKind.PAY_TO, pay_to=place),
        )

    def look_up(self, question: Question) -> Report:
        """Ask about a receipt; the answer comes to the question's own URL. Without a receipt: no news, no call."""
        return orders.ask_by_receipt(
            self.daraja, self.operator, self.config.shortcode, question, self.context.environment
        )

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a confirmation at the connection's URL, and answers and results at the URLs of calls."""
        return read_confirmation(incoming) if incoming.door is Door.CONNECTION else read_order_callback(incoming)

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

    def register(self, addresses: OwnAddresses) -> str:
        """Tell M-Pesa our two URLs, and ask to be allowed to pull where a number for it is configured."""
        confirmation = reply_url(addresses.announced, self.context.environment)
        validation = reply_url(addresses.validation or addresses.announced, self.context.environment)
        body = wire_more.register_body(
            shortcode=self.config.shortcode,
            confirmation=confirmation,
            validation=validation,
            response_type=self.config.response_type,
        )
        budget = Budget(CALL_TIMEOUT_S)
        path, number = wire_more.register_path(self.config.c2b_version), self.config.nominated_number
        answer = self.daraja.call("register", path, body, budget=budget)
        if number is None:
            return told_urls(answer)
        return with_pull(
            answer, lambda: pull.register(self.daraja, self.config.shortcode, number, confirmation, budget)
        )

    def balance(self, reply_to: ReplyTo) -> tuple[Pocket, ...] | None:
        """Ask what our pockets hold; the answer comes to the ReplyTo."""
        orders.ask_balance(self.daraja, self.operator, self.config.shortcode, reply_to, self.context.environment)
        return None

    def read_file(self, name: str, content: bytes) -> StatementFile:
        """Read the organisation's statement."""
        return read_statement(name, content)

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """The ages of the operator's password and certificate."""
        return tuple(ages(self.config.operator, now))


def read_confirmation(incoming: Incoming) -> Reading:
    """Read a C2B confirmation: it *is* the money. Names aren't kept; numbers come masked, hashed, whole or not at all.

    Raises Unreadable for any other shape, and for one without receipt or amount.
    """
    body = parsed_callback(incoming)
    receipt = wire.receipt_number(body.get("TransID"))
    amount = wire.shillings(body.get("TransAmount"))
    if receipt is None or amount is None or not amount.units:
        raise unreadable("not a confirmation")
    money = MoneyIn(
        receipt_namespace=RECEIPTS,
        receipt_number=receipt,
        amount=amount,
        happened_at=wire.moment(body.get("TransTime")),
        reference=typed(body.get("BillRefNumber")),
        payer_hint=wire.payer_hint(body.get("MSISDN")),
    )
    return Reading(
        reports=(Report(status=Status.SUCCEEDED, grade=grade_of(incoming), money=(money,)),), reply_body=REPLY
    )


def typed(value: object) -> str | None:
    """What the payer typed as account, as it came, at most so long as M-Pesa lets it be; None when he typed nothing."""
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return text[:64] or None


class C2bValidator(Validator):
    """Validation before the money moves: the same shape as a confirmation, and two ways to say no."""

    def read(self, incoming: Incoming) -> MayBePaid:
        """What is asked. Raises Unreadable."""
        body = parsed_callback(incoming)
        amount = wire.shillings(body.get("TransAmount"))
        if amount is None or not amount.units:
            raise unreadable("not a validation")
        return MayBePaid(reference=typed(body.get("BillRefNumber")) or "", amount=amount)

    def word(self, answer: Validation) -> bytes:
        """The reply's body."""
        code = {
            Validation.ACCEPT: "0",
            Validation.UNKNOWN_REFERENCE: "C2B00012",
            Validation.WRONG_AMOUNT: "C2B00013",
        }[answer]
        words = "Accepted" if answer is Validation.ACCEPT else "Rejected"
        return json.dumps({"ResultCode": code, "ResultDesc": words}, separators=(",", ":")).encode()
