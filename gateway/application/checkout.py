"""Checkout sessions as a business makes them, and the hosted page as a shopper meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.amounts import life_of, money_of
from gateway.application.answers import answered, refuse_other_request
from gateway.application.checkout_places import Place, offered_places, place_of
from gateway.application.commands import Confirmation, ListQuery, NewPayment, NewSession
from gateway.application.interfaces import AlreadyMade, Call, Chance, Doors, Json, OpenUnit, Providers, SessionFound
from gateway.application.lists import listed, page_of
from gateway.application.payments import (
    CancelPayment,
    ConfirmPayment,
    announce_new,
    check_some_rail_takes,
    new_payment,
    require_open,
)
from gateway.application.replies import secret_hash
from gateway.domain.attempts import Attempt, AttemptState
from gateway.domain.businesses import Business
from gateway.domain.checkout import CheckoutSession
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.payments import PAYMENT, ExceptionStatus, Payment, PaymentState
from gateway.domain.receipts import Receipt
from ports.report import FailureKind

SESSION_LIFE_S = 1800


def check_return_url(url: str | None, param: str) -> None:
    """Where a shopper is sent back to: an absolute http(s) URL without credentials. Raises Invalid naming the field."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
    except ValueError:
        whole = False
    if not whole or not url.isprintable() or " " in url:
        raise Invalid("give an absolute https:// URL", code="url_invalid", param=param)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSession:
    """Make a session and its payment at once, one to one. `page_url` makes the page's URL from its secret."""

    unit: OpenUnit
    chance: Chance
    page_url: PageUrl
    providers: Providers

    def __call__(self, command: NewSession, call: Call) -> Json:
        """The session with its `url`, which holds 128 random bits and is shown to its maker alone."""
        amount = money_of(command.amount, command.currency)
        check_some_rail_takes(self.providers, amount)
        check_return_url(command.success_url, "/success_url")
        check_return_url(command.cancel_url, "/cancel_url")
        secret = self.chance.secret_hex()
        try:
            with self.unit(call.scope, call=call) as work:
                require_open(work, call, "payments")
                session_id = call.idempotency.object_id if call.idempotency else work.new_id()
                life = life_of(command.expires_in_s, SESSION_LIFE_S)
                payment = new_payment(work, _order_of(command), amount, call, life, session_id=session_id)
                session = CheckoutSession(
                    id=session_id,
                    business_id=call.business_id,
                    livemode=call.livemode,
                    created=work.now,
                    updated=work.now,
                    metadata=dict(command.metadata),
                    payment_id=payment.id,
                    secret_hash=secret_hash(secret),
                    success_url=command.success_url,
                    cancel_url=command.cancel_url,
                    expires_at=payment.expires_at,
                    line_items=command.line_items,
                )
                work.payments.add(payment, call.idempotency)
                work.sessions.add(session, call.idempotency)
                announce_new(work, payment)
                return answered(work, 201, shown.session(session, payment, url=self.page_url(secret)))
        except AlreadyMade as made:
            refuse_other_request(made)
            with self.unit(call.scope, call=call) as work:
                payment = work.payments.get(made.object_id)
                session = work.sessions.get(payment.session_id or payment.id)
                return answered(work, 201, shown.session(session, payment))


def _order_of(command: NewSession) -> NewPayment:
    return NewPayment(
        amount=command.amount,
        currency=command.currency,
        description=command.description,
        reference=command.reference,
        metadata=command.metadata,
    )


class PageUrl:
    """Makes a checkout page's URL from its secret: `{public URL}/c/{secret}`."""

    __slots__ = ("_base",)

    def __init__(self, public_url: str) -> None:
        self._base = public_url.rstrip("/")

    def __call__(self, secret: str) -> str:
        return f"{self._base}/c/{secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireSession:
    """End a session early: its payment is canceled, when nobody can be paying it at this moment."""

    unit: OpenUnit
    cancel: CancelPayment

    def __call__(self, session_id: UUID, call: Call) -> Json:
        """The session, expired."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            payment_id = work.sessions.get(session_id).payment_id
        self.cancel(payment_id, Call(business_id=call.business_id, livemode=call.livemode, request_id=call.request_id))
        with self.unit(call.scope, call=call) as work:
            session = work.sessions.get(session_id)
            return answered(work, 200, shown.session(session, work.payments.get(payment_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSessions:
    """Read sessions."""

    unit: OpenUnit

    def get(self, session_id: UUID, call: Call) -> Json:
        """One session, its state derived from its payment."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            session = work.sessions.get(session_id)
            return shown.session(session, work.payments.get(session.payment_id))

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of sessions, newest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.sessions.page(page_of(query))
            payments = work.payments.many([s.payment_id for s in found]) if found else {}
            return listed([shown.session(s, payments[s.payment_id]) for s in found], more)


class PageState(Enum):
    """What the hosted page shows; each has one sentence of fact and one of what to do."""

    CHOOSE = "choose"
    SENDING = "sending"
    DELAYED = "delayed"
    """Not sent for a while: the provider isn't taking it, and a worker keeps trying."""
    WAITING = "waiting"
    PERHAPS_WAITING = "perhaps_waiting"
    """The send's answer was lost: the prompt may be on the phone, or not."""
    CONFIRMING = "confirming"
    UNKNOWN = "unknown"
    PLACE_TO_COME = "place_to_come"
    """The shopper pays by himself; where, is known within milliseconds."""
    PAY_TO = "pay_to"
    PAID = "paid"
    PAID_NUMBER_TO_COME = "paid_number_to_come"
    PAID_LATE = "paid_late"
    WRONG_PIN = "wrong_pin"
    NO_MONEY = "no_money"
    CANCELED_ON_PHONE = "canceled"
    UNREACHABLE = "unreachable"
    OVER_LIMIT = "over_limit"
    NOT_POSSIBLE = "not_possible"
    PART_PAID = "part_paid"
    EXPIRED = "expired"
    SHOP_CANCELED = "shop_canceled"


_BY_FAILURE = {
    FailureKind.WRONG_PIN: PageState.WRONG_PIN,
    FailureKind.INSUFFICIENT_FUNDS: PageState.NO_MONEY,
    FailureKind.CANCELED_BY_PAYER: PageState.CANCELED_ON_PHONE,
    FailureKind.NO_ANSWER: PageState.UNREACHABLE,
    FailureKind.RAIL_UNAVAILABLE: PageState.UNREACHABLE,
    FailureKind.OVER_LIMIT: PageState.OVER_LIMIT,
}

#: A prompt that isn't sent after so long is told to be late; workers send within milliseconds.
_SENDING_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """All that the page needs, and nothing that a stranger with the link shouldn't see.

    Amounts are minor units. `account` is the reference that M-Pesa shows; `payer` is masked.
    `may_pay`: the payment still takes money here. `may_pay_again`: it does, and an earlier prompt's window is over and
    its outcome unknown; paying then needs the shopper's word. `again_at`: the provider refuses another try until then.
    `places`: methods by which the shopper may pay by himself; `place`: where he was told to, as names and values.
    """

    state: PageState
    session_id: str
    shop: str
    support_contact: str | None
    description: str | None
    line_items: tuple[tuple[str, int], ...]
    amount_units: int
    received_units: int
    left_units: int
    currency: str
    account: str | None
    payer: str | None
    receipt_number: str | None
    prompt_until: datetime | None
    may_pay: bool
    may_pay_again: bool
    again_at: datetime | None
    success_url: str | None
    cancel_url: str | None
    expires_at: datetime
    livemode: bool
    now: datetime
    places: tuple[str, ...] = ()
    place: Place = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCheckout:
    """The shopper's side: everything goes through the page's secret, hashed before it is looked up."""

    unit: OpenUnit
    doors: Doors
    confirm: ConfirmPayment
    cancel: CancelPayment
    providers: Providers

    def show(self, secret: str) -> Visit:
        """The truth at this moment. Raises NotFound for a secret that opens nothing."""
        found = self._find(secret)
        with self.unit(_call(found).scope, read_only=True) as work:
            session = work.sessions.get(found.session_id)
            payment = work.payments.get(session.payment_id)
            attempts = work.attempts.of(payment.id)
            receipts = work.receipts.of(payment.id) if payment.received_units else ()
            places = offered_places(work, self.providers, payment)
            return visit_of(session, payment, attempts, receipts, work.businesses.get(), work.now, places)

    def pay(
        self,
        secret: str,
        phone: str | None,
        *,
        acknowledge_unknown: bool,
        method: str = "mpesa",
        request_id: str | None = None,
    ) -> None:
        """Ask that phone for a prompt; without one, where to pay by oneself. Raises what ConfirmPayment raises."""
        found = self._find(secret)
        payment_id = self._payment_of(found)
        command = Confirmation(
            payment_id=payment_id, method=method, phone=phone, acknowledge_unknown=acknowledge_unknown
        )
        self.confirm(command, _call(found, request_id))

    def leave(self, secret: str, *, request_id: str | None = None) -> None:
        """The shopper cancels. Raises Conflict while a prompt is out."""
        found = self._find(secret)
        self.cancel(self._payment_of(found), _call(found, request_id))

    def _find(self, secret: str) -> SessionFound:
        found = self.doors.session(secret_hash(secret))
        if found is None:
            raise NotFound("this page doesn't exist; check the link that the shop gave you")
        return found

    def _payment_of(self, found: SessionFound) -> UUID:
        with self.unit(_call(found).scope, read_only=True) as work:
            return work.sessions.get(found.session_id).payment_id


def _call(found: SessionFound, request_id: str | None = None) -> Call:
    return Call(business_id=found.business_id, livemode=found.livemode, request_id=request_id)


def visit_of(
    session: CheckoutSession,
    payment: Payment,
    tries: Sequence[Attempt],
    booked: Sequence[Receipt],
    business: Business,
    now: datetime,
    places: tuple[str, ...] = (),
) -> Visit:
    """Derive the page from the payment and its latest attempt."""
    told = _told(payment, tries)
    in_doubt = [a for a in tries if a.in_doubt]
    may_pay = not _is_over(payment, now)
    return Visit(
        state=page_state(payment, tries, booked, now),
        session_id=shown.session(session, payment)["id"],
        shop=business.name,
        support_contact=business.support_contact,
        description=payment.description,
        line_items=session.line_items,
        amount_units=payment.amount_due.units,
        received_units=payment.received_units,
        left_units=max(payment.amount_due.units - payment.received_units, 0),
        currency=payment.amount.asset.code,
        account=told.reference if told else None,
        payer=told.payer_masked if told else None,
        receipt_number=next((r.receipt_number for r in booked if r.receipt_number), None),
        prompt_until=told.prompt_until if told else None,
        may_pay=may_pay,
        may_pay_again=may_pay and bool(in_doubt) and not any(a.blocks(now) for a in in_doubt),
        again_at=_again_at(tries[-1], now) if tries else None,
        success_url=session.success_url,
        cancel_url=session.cancel_url,
        expires_at=session.expires_at,
        livemode=payment.livemode,
        now=now,
        places=places if may_pay else (),
        place=place_of(payment) if may_pay else (),
    )


def _is_over(payment: Payment, now: datetime) -> bool:
    """Whether a new try would be refused: ended, or past its time and only the timer hasn't come yet."""
    return payment.state in PAYMENT.ends or now >= payment.expires_at


def _told(payment: Payment, tries: Sequence[Attempt]) -> Attempt | None:
    """The try that the page speaks of: the one that paid, else the chosen place, else one in doubt, else the last."""
    paid = [a for a in tries if a.state is AttemptState.SUCCEEDED]
    in_doubt = [a for a in tries if a.in_doubt]
    if payment.state is PaymentState.SUCCEEDED and paid:
        return paid[-1]
    if tries and tries[-1].pay_to:
        return tries[-1]
    return (in_doubt or tries)[-1] if tries else None


def _again_at(last: Attempt, now: datetime) -> datetime | None:
    """When the provider will take another try, if it said so and that moment isn't past."""
    if last.failure is None or not last.failure.after_s:
        return None
    at = last.updated + timedelta(seconds=last.failure.after_s)
    return at if at > now else None


def page_state(payment: Payment, tries: Sequence[Attempt], booked: Sequence[Receipt], now: datetime) -> PageState:
    """What may be claimed: never more than is known."""
    if payment.state is PaymentState.SUCCEEDED:
        if payment.exception_status is ExceptionStatus.PAID_LATE:
            return PageState.PAID_LATE
        return PageState.PAID if any(r.receipt_number for r in booked) else PageState.PAID_NUMBER_TO_COME
    if payment.state not in PAYMENT.ends and tries and tries[-1].in_doubt:
        return _open_state(tries[-1], now)
    if payment.received_units:
        return PageState.PART_PAID
    if payment.state is PaymentState.CANCELED:
        return PageState.SHOP_CANCELED
    if _is_over(payment, now):
        # An earlier try that is in doubt keeps us from saying that nothing was paid.
        return PageState.UNKNOWN if any(a.in_doubt for a in tries) else PageState.EXPIRED
    if tries and tries[-1].pay_to and tries[-1].is_open:
        return PageState.PAY_TO if place_of(payment) else PageState.PLACE_TO_COME
    if payment.last_error is not None:
        return _BY_FAILURE.get(payment.last_error.kind, PageState.NOT_POSSIBLE)
    return PageState.CHOOSE


def _open_state(last: Attempt, now: datetime) -> PageState:
    """A prompt that isn't decided: on its way, on the phone, over, or in doubt."""
    if last.state is AttemptState.CREATED and now >= last.created + timedelta(seconds=_SENDING_S):
        return PageState.DELAYED
    if last.state in (AttemptState.CREATED, AttemptState.SUBMITTING):
        return PageState.SENDING
    if last.blocks_until is not None and now >= last.blocks_until:
        return PageState.UNKNOWN
    if last.prompt_until is not None and now >= last.prompt_until:
        return PageState.CONFIRMING
    return PageState.WAITING if last.state is AttemptState.SUBMITTED else PageState.PERHAPS_WAITING
