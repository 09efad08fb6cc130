"""Payments as a business asks for them: create, confirm, cancel, refresh, read. Nothing here calls a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.amounts import PAYMENT_LIFE_S, check_bounds, life_of, money_of
from gateway.application.answers import answered, refuse_other_request
from gateway.application.breakers import refuse_broken
from gateway.application.commands import Confirmation, NewPayment
from gateway.application.interfaces import (
    AlreadyMade,
    Call,
    Chance,
    Due,
    IdempotentCall,
    Json,
    OpenUnit,
    Providers,
    UnitOfWork,
)
from gateway.application.payment_expiry import announce_session_over, end_places, end_unsent
from gateway.application.pricing import priced
from gateway.application.unsent import unsent_until
from gateway.application.windows import unavailable
from gateway.domain.attempts import ASKABLE, Attempt, AttemptState
from gateway.domain.businesses import Business
from gateway.domain.connections import Connection
from gateway.domain.errors import Busy, Conflict, Denied, Invalid, TooMany, Unprocessable
from gateway.domain.fees import Terms
from gateway.domain.maintenance import Halt
from gateway.domain.payments import PAYMENT, Payment, PaymentStep, PromptAction
from gateway.domain.phones import mask, to_e164
from ports.money import Money
from ports.payment_rail import RailCapabilities, StartsBy


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayment:
    """Make a payment and promise its expiry."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, command: NewPayment, call: Call) -> Json:
        """The payment, `requires_payment_method`. The same idempotency key gives the same payment."""
        amount = money_of(command.amount, command.currency)
        check_some_rail_takes(self.providers, amount)
        try:
            with self.unit(call.scope, call=call) as work:
                require_open(work, call, "payments")
                payment = new_payment(work, command, amount, call, life_of(command.expires_in_s, PAYMENT_LIFE_S))
                work.payments.add(payment, call.idempotency)
                return answered(work, 201, announce_new(work, payment))
        except AlreadyMade as made:
            refuse_other_request(made)
            with self.unit(call.scope, call=call) as work:
                return answered(work, 201, shown.payment(work.payments.get(made.object_id)))


def check_some_rail_takes(providers: Providers, amount: Money) -> None:
    """Hold an amount against what the rails declare. Raises Invalid when none of them takes it."""
    refusal: Invalid | None = None
    for code in providers.rail_codes():
        offer = providers.rail_capabilities(code)
        try:
            check_bounds(amount, offer.amount_min, offer.amount_max, offer.amount_granularity)
        except Invalid as error:
            refusal = error
        else:
            return
    if refusal is not None:
        raise refusal


def require_open(work: UnitOfWork, call: Call, what: str) -> None:
    """In live mode the operator must have opened the business's capability. Raises Denied."""
    if not call.livemode:
        return
    business = work.businesses.get()
    if not (business.payments_enabled if what == "payments" else business.payouts_enabled):
        raise Denied(f"live {what} aren't open for this business yet; ask the operator", code="capability_closed")


def new_payment(
    work: UnitOfWork, command: NewPayment, amount: Money, call: Call, life: timedelta, *, session_id: UUID | None = None
) -> Payment:
    """A fresh payment under the id that the idempotent call reserved, if there is one (and no session bears it)."""
    reserved = call.idempotency.object_id if call.idempotency and session_id is None else None
    return Payment(
        id=reserved or work.new_id(),
        business_id=call.business_id,
        livemode=call.livemode,
        created=work.now,
        updated=work.now,
        metadata=dict(command.metadata),
        amount=amount,
        amount_due=amount,
        description=command.description,
        reference=command.reference,
        session_id=session_id,
        expires_at=work.now + life,
    )


def announce_new(work: UnitOfWork, payment: Payment) -> Json:
    """The expiry timer and the first event; gives the payment as it is shown."""
    view = shown.payment(payment)
    work.due.put(Due(kind="payment.expire", subject_id=payment.id, due_at=payment.expires_at))
    work.events.put("payment.created", payment.id, view)
    return view


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment:
    """Start an attempt: attempt, Reference and due work in one transaction; a worker prompts within milliseconds.

    `tolerance`: what a payment may be short of what is due, in minor units.
    """

    unit: OpenUnit
    providers: Providers
    chance: Chance
    tolerance: int = 0

    def __call__(self, command: Confirmation, call: Call) -> Json:
        """The payment, `requires_action`. Raises Conflict (`attempt_outcome_unknown`) while a prompt is out."""
        phone = None if command.phone is None else to_e164(command.phone, param="/payment_method/phone")
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(command.payment_id, lock=True)
            attempts = work.attempts.of(payment.id)
            if _made_before(work, call.idempotency, payment, attempts):
                return answered(work, 200, shown.payment(payment))
            require_open(work, call, "payments")
            _may_confirm(payment, attempts, command, work.now)
            connection, offer = self._line(work, command.method, payment.amount_due)
            if phone is None and offer.starts_by is StartsBy.PROMPT:
                raise Invalid(
                    "this way to pay prompts a phone; name it", code="phone_required", param="/payment_method/phone"
                )
            is_prompt = phone is not None and offer.starts_by is StartsBy.PROMPT
            wait = work.attempts.take_prompt(phone, work.now) if phone is not None and is_prompt else None
            if wait is not None:
                raise TooMany(
                    "too many prompts to this number; wait before asking again",
                    code="phone_rate_limited",
                    retry_after_s=wait,
                )
            return answered(work, 200, self._begin(work, call, payment, attempts, connection, offer, phone, command))

    def _line(self, work: UnitOfWork, method: str, amount: Money) -> tuple[Connection, RailCapabilities]:
        codes = self.providers.rail_codes(method)
        connection = work.connections.for_method(codes) if codes else None
        if connection is None:
            raise Unprocessable(
                f"no rail for method {method!r} is connected", code="method_not_available", param="/payment_method/type"
            )
        held = connection.hold(Halt.PAYMENTS, work.now)
        if held is not None:
            raise unavailable(held, work.now)
        refuse_broken(work, connection)
        offer = self.providers.rail_capabilities(connection.code)
        check_bounds(amount, offer.amount_min, offer.amount_max, offer.amount_granularity)
        return connection, offer

    def _begin(
        self,
        work: UnitOfWork,
        call: Call,
        payment: Payment,
        attempts: Sequence[Attempt],
        connection: Connection,
        offer: RailCapabilities,
        phone: str | None,
        command: Confirmation,
    ) -> Json:
        business = work.businesses.get()
        payment = priced(work, payment, business.settlement, command.method, offer, command.quote_id, self.tolerance)
        for earlier in attempts:
            if earlier.is_open:
                work.attempts.unblock(earlier.id)
        customer = work.customers.by_phone(phone, new_id=work.new_id(), now=work.now) if phone else None
        pay_to = offer.starts_by is StartsBy.PAY_TO
        attempt = Attempt(
            id=call.idempotency.object_id if call.idempotency else work.new_id(),
            payment_id=payment.id,
            business_id=payment.business_id,
            livemode=payment.livemode,
            created=work.now,
            updated=work.now,
            number=len(attempts) + 1,
            connection_id=connection.id,
            rail=connection.code,
            method=command.method,
            float_id=connection.float_id,
            reference=self._reference(work, business, connection.float_id, offer),
            amount=payment.amount_due - Money(units=payment.received_units, asset=payment.amount.asset),
            customer_id=customer.id if customer else None,
            payer_masked=mask(phone) if phone else None,
            pay_to=pay_to,
        )
        work.attempts.add(attempt, call.idempotency.key_hash if call.idempotency else None)
        payment = self._confirmed(work, payment, attempts, business, offer, attempt.customer_id)
        work.due.put(Due(kind="attempt.submit", subject_id=attempt.id, due_at=work.now))
        if not pay_to:
            work.due.put(Due(kind="attempt.window", subject_id=attempt.id, due_at=unsent_until(attempt, offer)))
        view = shown.payment(payment)
        if not pay_to:
            # Where to pay is the adapter's to say: a worker asks it within milliseconds, and the event carries it.
            work.events.put("payment.requires_action", payment.id, view)
        return view

    def _confirmed(
        self,
        work: UnitOfWork,
        payment: Payment,
        attempts: Sequence[Attempt],
        business: Business,
        offer: RailCapabilities,
        customer_id: UUID | None,
    ) -> Payment:
        terms = payment.terms or Terms(
            fee=work.businesses.fee_schedule("collect", work.now), settlement=business.settlement
        )
        life = timedelta(seconds=offer.prompt_life_s)
        return work.payments.save(
            payment.take(
                PaymentStep.CONFIRM,
                work.now,
                terms=terms,
                customer_id=customer_id or payment.customer_id,
                last_error=None,
                outcome_unknown=any(a.in_doubt for a in attempts),
                next_action=None
                if offer.starts_by is StartsBy.PAY_TO
                else PromptAction(
                    expires_at=work.now + life, resend_after=work.now + life + timedelta(seconds=offer.grace_s)
                ),
            )
        )

    def _reference(self, work: UnitOfWork, business: Business, float_id: UUID, offer: RailCapabilities) -> str:
        """A reference that no attempt on that float ever had: `{shop tag}-{six characters}` where payers read it."""
        form = offer.reference_form
        tag = f"{business.shop_tag}-" if form.tagged else ""
        length = 6 if form.tagged else form.max_length
        for _ in range(20):
            reference = tag + self.chance.pick(form.alphabet, length)
            if work.attempts.reserve_reference(float_id, reference):
                return reference
        raise Busy("no free reference was found; try again", code="busy")


def _made_before(
    work: UnitOfWork, idempotent: IdempotentCall | None, payment: Payment, attempts: Sequence[Attempt]
) -> bool:
    """A retry after a crash finds the attempt that its first run made; so does one whose key's answer was lost."""
    if idempotent is None:
        return False
    if any(a.id == idempotent.object_id for a in attempts):
        return True
    made = work.attempts.by_key(idempotent.key_hash)
    if made is not None and made.payment_id != payment.id:
        raise Unprocessable("this key confirmed another payment", code="idempotency_mismatch")
    return made is not None


def _may_confirm(payment: Payment, attempts: Sequence[Attempt], command: Confirmation, now: datetime) -> None:
    """The guards that the state table can't see. Raises Conflict or StateRefused."""
    PAYMENT.take(payment.state, PaymentStep.CONFIRM)
    if now >= payment.expires_at:
        raise Conflict("this payment has expired; create a new one", code="payment_expired")
    blocking = [a for a in attempts if a.blocks(now)]
    if blocking:
        until = max((a.blocks_until for a in blocking if a.blocks_until), default=None)
        raise Conflict(
            "a prompt is out and its outcome isn't known; wait until it is",
            code="attempt_outcome_unknown",
            retry_after_s=5 if until is None else max(1, ceil((until - now).total_seconds())),
        )
    if any(a.in_doubt for a in attempts) and not command.acknowledge_unknown:
        raise Conflict(
            "an earlier prompt may still be paid; send acknowledge_unknown_attempt=true to prompt again all the same",
            code="attempt_outcome_unknown",
            retry_after_s=30,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayment:
    """Cancel a payment that nobody can be paying at this moment."""

    unit: OpenUnit

    def __call__(self, payment_id: UUID, call: Call) -> Json:
        """The payment, canceled. Raises Conflict while a prompt is out or its outcome isn't known."""
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(payment_id, lock=True)
            canceled = payment.take(PaymentStep.CANCEL, work.now, next_action=None)
            if canceled.state is payment.state:
                return answered(work, 200, shown.payment(payment))
            tries = work.attempts.of(payment.id)
            attempts = [a for a in tries if a.in_doubt]
            if any(a.state is not AttemptState.CREATED for a in attempts):
                raise Conflict(
                    "a sent prompt can't be recalled; wait until its outcome is known", code="attempt_outcome_unknown"
                )
            end_unsent(work, attempts)
            end_places(work, tries)
            canceled = work.payments.save(canceled)
            work.due.drop("payment.expire", payment.id)
            view = shown.payment(canceled)
            work.events.put("payment.canceled", payment.id, view)
            announce_session_over(work, canceled)
            return answered(work, 200, view)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPayment:
    """Hurry the questions about open attempts; the provider is asked by a worker."""

    unit: OpenUnit

    def __call__(self, payment_id: UUID, call: Call) -> Json:
        """The payment as it stands now."""
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(payment_id)
            for attempt in work.attempts.of(payment_id):
                if attempt.state in ASKABLE and not attempt.pay_to:
                    work.due.put(Due(kind="attempt.look_up", subject_id=attempt.id, due_at=work.now))
            return answered(work, 200, shown.payment(payment))
