"""The rail: a prompt on the payer's phone. Client and mapping, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from acme_pay import refunds, wire
from acme_pay.config import Config, config_of
from plugins.kit.http import Answer, Budget, Http, Limits
from ports.abilities import Ability, RefundOrder, Refunds
from ports.callback import Door, Incoming, Reading
from ports.context import Context
from ports.errors import Refused, Unreadable
from ports.money import KES
from ports.payment_rail import Collection, PaymentRail, Question, RailCapabilities, RefundDestination, StartsBy
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Repeat
from ports.report import ActionKind, Failure, FailureKind, Grade, NextAction, Report, TryAgain

#: From KES 1.00 to KES 100,000.00, in cents. The same order id again is answered with the charge that it has.
PROMPT = RailCapabilities(
    assets=(KES,),
    amount_min=100,
    amount_max=10_000_000,
    amount_granularity=1,
    reference_form=ReferenceForm(max_length=20, tagged=True),
    receipt_namespace=wire.RECEIPTS,
    callback=CallbackScope.PER_CALL,
    look_up=LookUp.ANSWERS,
    look_up_by=LookUpBy.OUR_REFERENCE,
    repeat=Repeat.SAFE,
    call_timeout_s=20,
    starts_by=StartsBy.PROMPT,
    fixed_amount=True,
    one_payment=True,
    prompt_life_s=60,
    grace_s=30,
    abilities=(Ability.REFUND.value,),
    refund_destination=RefundDestination.ORIGIN,
    refund_repeat=Repeat.SAFE,
    partial_refunds=True,
)

_LIMITS = Limits(connect_s=5, read_s=10, total_s=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmePay(PaymentRail, Refunds):
    """One account's prompts. Safe to share between threads: it keeps nothing."""

    config: Config
    http: Http

    @classmethod
    def build(cls, values: Mapping[str, object], context: Context) -> AcmePay:
        """Make the rail of one connection. Raises Misconfigured, naming the fields that are wrong."""
        config = config_of(values, context.environment)
        http = Http(base_url=config.base_url, user_agent=context.user_agent, log=context.log)
        return cls(config=config, http=http)

    def start(self, collection: Collection) -> Report:
        """Prompt the payer. The same collection twice prompts once."""
        amount = collection.amount
        if amount.asset != KES or not PROMPT.amount_min <= amount.units <= PROMPT.amount_max:
            raise Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER))
        if collection.payer is None:
            raise Refused(Failure(kind=FailureKind.DESTINATION_INVALID, try_again=TryAgain.NEVER))
        answer = self._call("charge", "POST", "/v1/charges", wire.charge_body(collection))
        report = wire.started(answer, collection.reference)
        return replace(report, next_action=NextAction(kind=ActionKind.PROMPT, life_s=PROMPT.prompt_life_s))

    def look_up(self, question: Question) -> Report:
        """Ask by our reference, so that a charge whose answer was lost is found too."""
        answer = self._call("look_up", "GET", f"/v1/orders/{quote(question.reference, safe='')}")
        return wire.looked_up(answer, question.reference)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read the outcome of a charge or a refund.

        Acme Pay signs nothing, so it is as good as the address that it came by.
        """
        grade = Grade.SOLICITED if incoming.door is Door.CALL else Grade.ANNOUNCED
        try:
            told = wire.object_in(incoming.body)
            report = refunds.report_of(told, grade) if "refund_id" in told else wire.charge_report(told, grade)
        except (ValueError, KeyError, TypeError):
            raise Unreadable("no callback of Acme Pay") from None
        return Reading(reports=(report,), reply_body=b"{}")

    def refund(self, order: RefundOrder) -> Report:
        """Give money back, all of it or a part. The same order twice gives back once."""
        answer = self._call("refund", "POST", "/v1/refunds", refunds.body_of(order))
        return refunds.ordered(answer, order.reference)

    def look_up_refund(self, question: Question) -> Report:
        """Ask by our reference."""
        answer = self._call("look_up_refund", "GET", f"/v1/refunds/{quote(question.reference, safe='')}")
        return refunds.looked_up(answer, question.reference)

    def _call(self, name: str, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"X-Acme-Key": self.config.api_key, "Content-Type": "application/json"}
        budget = Budget(PROMPT.call_timeout_s)
        return self.http.exchange(name, method, path, headers=headers, body=body, budget=budget, limits=_LIMITS)
