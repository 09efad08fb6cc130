"""The B2B channel: from our working account to paybills and tills, and between our own pockets.

Nothing of ours is kept by Safaricom with such a payment (Daraja portal, December 2025): a repeat pays again, and after
a lost acknowledgement there is nothing to ask with; the result, the balance or a statement tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from plugins.mpesa import orders, wire_more
from plugins.mpesa.asked import refused, reply_url, whole_shillings
from plugins.mpesa.client import CALL_TIMEOUT_S, Daraja
from plugins.mpesa.config import B2bConfig, b2b_config
from plugins.mpesa.holders import holder_told
from plugins.mpesa.mapping import RECEIPTS
from plugins.mpesa.operator import Operator, ages
from plugins.mpesa.order_results import read_order_callback
from plugins.mpesa.results import REPLY
from plugins.mpesa.statement import read_statement
from ports.abilities import (
    Ability,
    ChecksItself,
    Holder,
    KnowsHolders,
    MovesOwn,
    OwnTransfer,
    ReadsBalance,
    ReadsFiles,
    SelfFinding,
)
from ports.callback import Incoming, Reading, ReplyTo
from ports.context import Context
from ports.money import KES, Money
from ports.payment_rail import Question
from ports.payout_channel import (
    Bundle,
    ChannelCapabilities,
    Destination,
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

B2B = ChannelCapabilities(
    assets=(KES,),
    amount_min=1_000,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=36, alphabet="0123456789abcdef-", uuid=True),
    receipt_namespace=RECEIPTS,
    callback=CallbackScope.PER_CALL,
    look_up=LookUp.REPLIES,
    look_up_by=LookUpBy.PROVIDER_REFERENCE,
    repeat=Repeat.DOUBLES,
    look_up_ladder_s=(30, 90, 480, 3_000, 14_400),
    look_up_life_s=90_000,
    call_timeout_s=CALL_TIMEOUT_S,
    abilities=tuple(
        word.value
        for word in (
            Ability.BALANCE,
            Ability.HOLDER_NAME,
            Ability.MOVE_OWN,
            Ability.READ_FILE,
            Ability.SELF_CHECK,
        )
    ),
    acknowledgement=REPLY,
    destinations=(DestinationKind.PAYBILL, DestinationKind.TILL),
    max_items=1,
    paid_means=PaidMeans.FINAL,
    absence_s=None,
    pays_from=PaysFrom.FLOAT,
)

#: Pockets by our names: where a transfer may begin and end.
WORKING, UTILITY, BULK = "working", "utility", "bulk"

_NUMBER = re.compile(r"[1-9][0-9]{4,6}")
#: An account at a paybill: at most 13 characters, and never cut, or the money goes to somebody else's.
_ACCOUNT = re.compile(r"[A-Za-z0-9 _.-]{1,13}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MpesaB2b(PayoutChannel, ReadsBalance, KnowsHolders, MovesOwn, ReadsFiles, ChecksItself):
    """One shortcode's payments to organisations. Safe to share between threads."""

    config: B2bConfig
    context: Context
    daraja: Daraja
    operator: Operator

    @classmethod
    def build(cls, values: Mapping[str, object], context: Context) -> MpesaB2b:
        """Make the channel of one connection. Raises Misconfigured, naming the fields that are wrong."""
        config = b2b_config(values, context.environment)
        return cls(
            config=config,
            context=context,
            daraja=Daraja(account=config.account, context=context),
            operator=Operator.of(config.operator),
        )

    def submit(self, bundle: Bundle) -> Submission:
        """Pay one organisation. The same bundle twice pays twice."""
        if len(bundle.instructions) != 1:
            raise refused("a bundle is one payout")
        (instruction,) = bundle.instructions
        answer = self.daraja.call("b2b", wire_more.B2B_PATH, self._payment(instruction))
        return Submission(reports=(orders.order_sent("b2b", answer, instruction.reference),))

    def _payment(self, instruction: Instruction) -> dict[str, object]:
        destination = instruction.destination
        is_till = destination.kind is DestinationKind.TILL
        if destination.kind not in B2B.destinations or not _NUMBER.fullmatch(destination.account):
            raise refused("not a paybill or till number", FailureKind.DESTINATION_INVALID)
        account = destination.reference or ""
        if not is_till and not _ACCOUNT.fullmatch(account):
            raise refused("a paybill needs an account of 1 to 13 plain characters", FailureKind.DESTINATION_INVALID)
        return self._body(
            command="BusinessBuyGoods" if is_till else "BusinessPayBill",
            receiver=destination.account,
            receiver_type=self.config.till_receiver_type if is_till else "4",
            amount=instruction.amount,
            reference=account,
            text=instruction.text,
            reply_to=instruction.reply_to,
        )

    def _body(
        self,
        *,
        command: str,
        receiver: str,
        receiver_type: str,
        amount: Money,
        reference: str,
        text: str,
        reply_to: ReplyTo,
    ) -> dict[str, object]:
        return wire_more.b2b_body(
            command=command,
            receiver=receiver,
            receiver_type=receiver_type,
            amount=whole_shillings(amount, B2B),
            shortcode=self.config.shortcode,
            initiator=self.operator.name,
            credential=self.operator.credential,
            reference=reference,
            text=text,
            reply_url=reply_url(reply_to, self.context.environment),
        )

    def look_up(self, question: Question) -> Report:
        """Ask by Safaricom's id; without one there is nothing to ask with: no news, and no call."""
        return orders.ask_by_their_id(
            self.daraja, self.operator, self.config.shortcode, question, self.context.environment
        )

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a result, a queue time-out, a balance, or the answer to a question."""
        return read_order_callback(incoming)

    def balance(self, reply_to: ReplyTo) -> tuple[Pocket, ...] | None:
        """Ask what our pockets hold; the answer comes to the ReplyTo."""
        orders.ask_balance(self.daraja, self.operator, self.config.shortcode, reply_to, self.context.environment)
        return None

    def holder_name(self, destination: Destination) -> Holder:
        """Whose a paybill or till is.

        Raises Refused for any other destination; NotSent, OutcomeUnknown or Misconfigured.
        """
        if destination.kind not in B2B.destinations or not _NUMBER.fullmatch(destination.account):
            raise refused("not a paybill or till number", FailureKind.DESTINATION_INVALID)
        is_till = destination.kind is DestinationKind.TILL
        body = wire_more.holder_body(number=destination.account, is_till=is_till)
        return holder_told(self.daraja.call("holder", wire_more.HOLDER_PATH, body))

    def move_own(self, transfer: OwnTransfer) -> Report:
        """Move our money from `working` to `utility` (of this shortcode) or `bulk` (another shortcode's utility).

        The same transfer twice moves twice.
        """
        commands = {UTILITY: ("BusinessTransferFromMMFToUtility", self.config.shortcode)}
        if self.config.utility_shortcode:
            commands[BULK] = ("BusinessPayToBulk", self.config.utility_shortcode)
        if transfer.source != WORKING or transfer.target not in commands:
            raise refused("money moves from working to utility, or to bulk where its shortcode is configured")
        command, receiver = commands[transfer.target]
        body = self._body(
            command=command,
            receiver=receiver,
            receiver_type="4",
            amount=transfer.amount,
            reference="Own transfer",
            text="Own transfer",
            reply_to=transfer.reply_to,
        )
        return orders.order_sent("move_own", self.daraja.call("move_own", wire_more.B2B_PATH, body), transfer.reference)

    def read_file(self, name: str, content: bytes) -> StatementFile:
        """Read the organisation's statement."""
        return read_statement(name, content)

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """The ages of the operator's password and certificate."""
        return tuple(ages(self.config.operator, now))
