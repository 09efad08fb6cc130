"""The B2C channel: money from our utility account to a phone. Client and mapping, no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from plugins.mpesa import orders, wire
from plugins.mpesa.asked import refused, reply_url, whole_shillings
from plugins.mpesa.client import CALL_TIMEOUT_S, Daraja
from plugins.mpesa.config import ChannelConfig, channel_config
from plugins.mpesa.mapping import RECEIPTS, payout_asked, payout_sent
from plugins.mpesa.operator import Operator, ages
from plugins.mpesa.order_results import read_order_callback, tells_balances
from plugins.mpesa.results import REPLY, read_payout_callback
from plugins.mpesa.statement import read_statement
from ports.abilities import Ability, ChecksItself, ReadsBalance, ReadsFiles, SelfFinding
from ports.callback import Incoming, Reading, ReplyTo
from ports.context import Context
from ports.money import KES
from ports.payment_rail import Question
from ports.payout_channel import (
    Bundle,
    ChannelCapabilities,
    DestinationKind,
    Instruction,
    PaidMeans,
    PayoutChannel,
    PaysFrom,
    Submission,
)
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Repeat
from ports.report import FailureKind, Pocket, Report
from ports.statement import StatementFile

#: From 10 to 250,000 whole shillings (Daraja portal, December 2025). Questions at 30 s, 2 min, 10 min, 1 h and on for a
#: day, since "not found" soon after a lost answer proves nothing.
B2C = ChannelCapabilities(
    assets=(KES,),
    amount_min=1_000,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=36, alphabet="0123456789abcdef-", uuid=True),
    receipt_namespace=RECEIPTS,
    callback=CallbackScope.PER_CALL,
    look_up=LookUp.REPLIES,
    look_up_by=LookUpBy.OUR_REFERENCE,
    repeat=Repeat.REFUSED,
    look_up_ladder_s=(30, 90, 480, 3_000, 14_400),
    look_up_life_s=90_000,
    call_timeout_s=CALL_TIMEOUT_S,
    abilities=(Ability.BALANCE.value, Ability.READ_FILE.value, Ability.SELF_CHECK.value),
    acknowledgement=REPLY,
    destinations=(DestinationKind.MPESA_PHONE,),
    max_items=1,
    paid_means=PaidMeans.FINAL,
    absence_s=600,
    pays_from=PaysFrom.FLOAT,
)

_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,36}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MpesaB2c(PayoutChannel, ReadsBalance, ReadsFiles, ChecksItself):
    """One shortcode's payouts. Safe to share between threads."""

    config: ChannelConfig
    context: Context
    daraja: Daraja
    operator: Operator

    @classmethod
    def build(cls, values: Mapping[str, object], context: Context) -> MpesaB2c:
        """Make the channel of one connection. Raises Misconfigured, naming the fields that are wrong.

        The operator's password is sealed once, so that the same bundle gives the same bytes from one channel.
        """
        config = channel_config(values, context.environment)
        return cls(
            config=config,
            context=context,
            daraja=Daraja(account=config.account, context=context),
            operator=Operator.of(config.operator),
        )

    def submit(self, bundle: Bundle) -> Submission:
        """Pay one phone. The same reference twice is AlreadyTaken."""
        if len(bundle.instructions) != 1:
            raise refused("a bundle is one payout")
        (instruction,) = bundle.instructions
        answer = self.daraja.call("b2c", wire.B2C_PATH, self._body(instruction))
        return Submission(reports=(payout_sent(answer, instruction.reference),))

    def _body(self, instruction: Instruction) -> dict[str, object]:
        if not _REFERENCE.fullmatch(instruction.reference):
            raise refused("the reference has another form")
        destination = instruction.destination
        receiver = wire.phone_number(destination.account)
        if destination.kind is not DestinationKind.MPESA_PHONE or receiver is None:
            raise refused("not a Kenyan mobile number", FailureKind.DESTINATION_INVALID)
        return wire.b2c_body(
            reference=instruction.reference,
            shortcode=self.config.shortcode,
            initiator=self.operator.name,
            credential=self.operator.credential,
            command_id=self.config.command_id,
            amount=whole_shillings(instruction.amount, B2C),
            receiver=receiver,
            text=instruction.text,
            reply_url=reply_url(instruction.reply_to, self.context.environment),
        )

    def look_up(self, question: Question) -> Report:
        """Ask by our reference; the answer comes to the question's own URL."""
        body = wire.status_body(
            reference=question.reference,
            shortcode=self.config.shortcode,
            initiator=self.operator.name,
            credential=self.operator.credential,
            reply_url=reply_url(question.reply_to, self.context.environment),
        )
        return payout_asked(self.daraja.call("transaction_status", wire.STATUS_PATH, body), question.reference)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a result, a queue time-out, or the answer to a question."""
        return read_order_callback(incoming) if tells_balances(incoming) else read_payout_callback(incoming)

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
