"""`payment`, `payout` and `refund resolve`: a person enters what the provider's statement says, with a reason."""

from __future__ import annotations

import getpass
from typing import Any
from uuid import UUID

import click

from gateway.application.operators import Act
from gateway.application.resolutions import Word
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix, decode

_paid = click.option("--paid", "receipt", help="The receipt number on the statement.")
_not_paid = click.option("--not-paid", is_flag=True, help="The statement doesn't have it, and its day is over.")
_reason = click.option("--reason", required=True, help="Why; it is kept for ever.")


@click.group("payout")
def payout() -> None:
    """Settle payouts by hand."""


@payout.command("resolve")
@click.argument("payout_id")
@_paid
@_not_paid
@_reason
@click.pass_obj
def resolve_payout(cli: Any, payout_id: str, receipt: str | None, not_paid: bool, reason: str) -> None:
    """Settle a payout whose outcome nobody told."""
    act, word = Act(actor=getpass.getuser(), reason=reason), _word(receipt, not_paid=not_paid)
    found = cli.gateway("operator").resolve_payout(_id(Prefix.PAYOUT, payout_id), word, act)
    click.echo(found["status"])


@click.group("payment")
def payment() -> None:
    """Settle payments by hand."""


@payment.command("resolve")
@click.argument("payment_id")
@_paid
@_not_paid
@_reason
@click.pass_obj
def resolve_payment(cli: Any, payment_id: str, receipt: str | None, not_paid: bool, reason: str) -> None:
    """Settle a payment's try whose outcome nobody told."""
    act, word = Act(actor=getpass.getuser(), reason=reason), _word(receipt, not_paid=not_paid)
    found = cli.gateway("operator").resolve_payment(_id(Prefix.PAYMENT, payment_id), word, act)
    click.echo(found["status"])


@click.group("refund")
def refund() -> None:
    """Settle refunds by hand."""


@refund.command("resolve")
@click.argument("refund_id")
@_paid
@_not_paid
@_reason
@click.pass_obj
def resolve_refund(cli: Any, refund_id: str, receipt: str | None, not_paid: bool, reason: str) -> None:
    """Settle a refund whose outcome nobody told."""
    act, word = Act(actor=getpass.getuser(), reason=reason), _word(receipt, not_paid=not_paid)
    found = cli.gateway("operator").resolve_refund(_id(Prefix.REFUND, refund_id), word, act)
    click.echo(found["status"])


def _word(receipt: str | None, *, not_paid: bool) -> Word:
    if (receipt is None) is not not_paid:
        raise Invalid("say either --paid RECEIPT or --not-paid", code="resolution_invalid")
    return Word(receipt_number=receipt)


def _id(prefix: Prefix, text: str) -> UUID:
    try:
        return decode(prefix, text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no id like {prefix}_…: {error}", code="id_invalid") from None
