"""The rail: a prompt on the payer's phone. Client and mapping, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from acme_pay import wire
from acme_pay.config import Config, config_of
from plugins.kit.http import Answer, Budget, Http, Limits
from ports.callback import Door, Incoming, Reading
from ports.context import Context
from ports.errors import Refused
from ports.money import KES
from ports.payment_rail import Collection, PaymentRail, Question, RailCapabilities, StartsBy
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
)

_LIMITS = Limits(connect_s=5, read_s=10, total_s=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmePay(PaymentRail):
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
        """Read the outcome. Acme Pay signs nothing, so it is as good as the address that it came by."""
        grade = Grade.SOLICITED if incoming.door is Door.CALL else Grade.ANNOUNCED
        return Reading(reports=(wire.callback_report(incoming.body, grade),), reply_body=b"{}")

    def _call(self, name: str, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"X-Acme-Key": self.config.api_key, "Content-Type": "application/json"}
        budget = Budget(PROMPT.call_timeout_s)
        return self.http.exchange(name, method, path, headers=headers, body=body, budget=budget, limits=_LIMITS)
