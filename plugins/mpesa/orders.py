"""Orders and questions that an API operator gives, as every collecting rail and paying channel shares them."""

from __future__ import annotations

from dataclasses import replace

from plugins.kit.http import Answer
from plugins.mpesa import wire, wire_more
from plugins.mpesa.asked import another_way, refused, reply_url
from plugins.mpesa.client import Daraja
from plugins.mpesa.codes import ORDER_CODES, Verdict, shown
from plugins.mpesa.faults import fault_of
from plugins.mpesa.mapping import error_of, not_accepted, payout_asked
from plugins.mpesa.operator import Operator
from ports.abilities import RefundOrder
from ports.callback import ReplyTo
from ports.context import Environment
from ports.errors import Misconfigured, OutcomeUnknown, Refused
from ports.money import KES
from ports.payment_rail import Question
from ports.report import FailureKind, Grade, Report, Status


def order_sent(call: str, answer: Answer, reference: str) -> Report:
    """Read the answer to an order that has no id of ours: PENDING with their id, or the error its row asks for.

    A repeat is a second order, so what isn't certainly refused is OutcomeUnknown.
    """
    body = body_of(answer)
    response_code = wire.code(body.get("ResponseCode"))
    if answer.status == 200 and wire.is_accepted(response_code):
        return Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=reference,
            provider_reference=wire.opaque(body.get("OriginatorConversationID")),
        )
    if answer.status == 200 and response_code is not None:
        row = ORDER_CODES.get(response_code)
        if row is not None and row.verdict is not Verdict.FAILED:
            raise OutcomeUnknown(f"{call}: not clearly refused ({shown(response_code)})")
        if row is not None and row.kind is FailureKind.SET_UP:
            raise Misconfigured(f"{call}: {row.meaning} ({shown(response_code)})")
        raise Refused(not_accepted(response_code))
    raise error_of(call, fault_of(answer))


def body_of(answer: Answer, most: int = wire.BODY_MAX) -> dict[str, object]:
    """The answer's JSON object, or an empty one when it is longer than `most` bytes or none."""
    try:
        return wire.parsed(answer.body, most)
    except ValueError:
        return {}


def reverse(
    daraja: Daraja, operator: Operator | None, shortcode: str, order: RefundOrder, environment: Environment
) -> Report:
    """Order a reversal. Raises Refused where this connection can't: nothing was sent then."""
    if operator is None:
        raise another_way("this connection has no API operator, so it can't reverse")
    if wire.receipt_number(order.receipt_number) is None:
        raise another_way("the payment has no receipt number that could be reversed")
    if order.amount != order.received:
        raise another_way("a reversal gives back all of a payment")
    if order.amount.asset != KES:
        raise refused("another asset than shillings")
    if not order.amount or order.amount.units % 100:
        raise refused("not in whole shillings")
    body = wire_more.reversal_body(
        receipt=order.receipt_number,
        amount=order.amount.units // 100,
        shortcode=shortcode,
        initiator=operator.name,
        credential=operator.credential,
        text=order.text,
        reply_url=reply_url(order.reply_to, environment),
    )
    return order_sent("reversal", daraja.call("reversal", wire_more.REVERSAL_PATH, body), order.reference)


def ask_by_their_id(
    daraja: Daraja, operator: Operator | None, shortcode: str, question: Question, environment: Environment
) -> Report:
    """Ask about an order by the id that Safaricom gave it; without one there is nothing to ask with."""
    if operator is None or question.provider_reference is None:
        return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference)
    body = wire.status_body(
        reference=question.provider_reference,
        shortcode=shortcode,
        initiator=operator.name,
        credential=operator.credential,
        reply_url=reply_url(question.reply_to, environment),
    )
    return payout_asked(daraja.call("transaction_status", wire.STATUS_PATH, body), question.reference)


def ask_by_receipt(
    daraja: Daraja, operator: Operator | None, shortcode: str, question: Question, environment: Environment
) -> Report:
    """Ask about a customer's payment by its receipt; without receipt or operator there is nothing to ask with."""
    receipt = wire.receipt_number(question.receipt_number)
    if operator is None or receipt is None:
        return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference)
    body = wire_more.receipt_status_body(
        receipt=receipt,
        shortcode=shortcode,
        initiator=operator.name,
        credential=operator.credential,
        reply_url=reply_url(question.reply_to, environment),
    )
    asked = payout_asked(daraja.call("transaction_status", wire.STATUS_PATH, body), question.reference)
    return replace(asked, reference=None)


def ask_balance(
    daraja: Daraja, operator: Operator | None, shortcode: str, reply_to: ReplyTo, environment: Environment
) -> None:
    """Ask what our pockets hold; the answer comes to the ReplyTo. Raises Misconfigured without an operator."""
    if operator is None:
        raise Misconfigured("configuration: /initiator_name: missing, and a balance can't be asked without it")
    body = wire_more.balance_body(
        shortcode=shortcode,
        initiator=operator.name,
        credential=operator.credential,
        reply_url=reply_url(reply_to, environment),
    )
    try:
        order_sent("balance", daraja.call("balance", wire_more.BALANCE_PATH, body), "")
    except Refused as unanswered:
        raise OutcomeUnknown(f"balance: {unanswered}") from None
