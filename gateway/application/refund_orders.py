"""An order to give money back, and the question about it, in the words of the two ports that can do it."""

from __future__ import annotations

from gateway.domain.receipts import Receipt
from gateway.domain.refunds import Refund, RefundAttempt
from ports.abilities import RefundOrder, Refunds
from ports.callback import ReplyTo
from ports.errors import Misconfigured
from ports.payment_rail import PaymentRail, Question
from ports.payout_channel import Bundle, Destination, DestinationKind, Instruction, PayoutChannel
from ports.report import Report


def give_back(
    line: PaymentRail | PayoutChannel,
    refund: Refund,
    attempt: RefundAttempt,
    receipt: Receipt,
    payer: str | None,
    reply_to: ReplyTo,
) -> Report:
    """Order it over the rail, or as a payout to the payer's number. Raises as the ports do."""
    if isinstance(line, PayoutChannel):
        return line.submit(_bundle(refund, attempt, payer, reply_to)).reports[0]
    if not isinstance(line, Refunds) or receipt.receipt_number is None:
        raise Misconfigured("the rail declares that it gives money back, and can't")
    order = RefundOrder(
        reference=attempt.reference,
        amount=attempt.amount,
        receipt_number=receipt.receipt_number,
        received=receipt.amount,
        payer=payer,
        text="Refund",
        reply_to=reply_to,
    )
    return line.refund(order)


def _bundle(refund: Refund, attempt: RefundAttempt, payer: str | None, reply_to: ReplyTo) -> Bundle:
    to = refund.destination
    if to is None and payer is not None:
        to = Destination(kind=DestinationKind.MPESA_PHONE, account=payer)
    if to is None:
        raise Misconfigured("the payer's number isn't known")
    instruction = Instruction(
        reference=attempt.reference, amount=attempt.amount, destination=to, text="Refund", reply_to=reply_to
    )
    return Bundle(id=attempt.reference, instructions=(instruction,))


def look_up(line: PaymentRail | PayoutChannel, attempt: RefundAttempt, receipt: Receipt, reply_to: ReplyTo) -> Report:
    """Ask what became of it. Over the rail the question names the payment's receipt; to a channel, the payout's own."""
    over_channel = isinstance(line, PayoutChannel)
    question = Question(
        reference=attempt.reference,
        provider_reference=attempt.provider_reference,
        receipt_number=attempt.receipt_number if over_channel else receipt.receipt_number,
        started_at=attempt.submitted_at or attempt.created,
        reply_to=reply_to,
    )
    if isinstance(line, PayoutChannel):
        return line.look_up(question)
    if not isinstance(line, Refunds):
        raise Misconfigured("the rail declares that it gives money back, and can't")
    return line.look_up_refund(question)
