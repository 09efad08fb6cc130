"""The life of a prompt: shown, answered or not, settled with or without money, and told.

`open` until the payer answers or its life ends; then `answered` or `silent` while M-Pesa works; then `done`. Only the
last step moves money, and what the callback and the query say of it is the behaviour's affair.
"""

from dataclasses import replace

from plugins.sandbox.mpesa import callbacks, codes, payments
from plugins.sandbox.mpesa.records import Due, Payment, Push
from plugins.sandbox.mpesa.simulator import Simulator, Turn

WRONG_PIN = "0000"
PREFIX = "[STK_CB - ]"  # Before the texts of old callbacks.


def begin(sim: Simulator, push: Push, code: str | None, turn: Turn) -> Push:
    """Keep a new push and set its life going; `code` is its scripted result, or None for the person at the phone."""
    behaviour, settings = push.behaviour, sim.settings
    if code in codes.NO_PROMPT:
        push = sim.keep_push(replace(push, prompted=False, state="answered", code=code, answered_ms=sim.now))
        sim.later(sim.now + _ms(settings.settle_s), "settle", push.checkout_id)
        return push
    sim.keep_push(push)
    if behaviour.before_ack:
        _answered(sim, push, code or "0")
        settle(sim, push.checkout_id, turn)
        return sim.pushes.get(push.checkout_id) or push
    sim.later(push.ends_ms, "prompt_end", push.checkout_id)
    if behaviour.late_s is not None:
        late_s = settings.late_s if behaviour.late_s < 0 else behaviour.late_s
        sim.later(sim.now + _ms(late_s), "late", push.checkout_id, code=code or "0")
    elif code is not None and code not in codes.SILENCE:
        wait_s = settings.scripted_answer_s if behaviour.answer_s is None else behaviour.answer_s
        sim.later(sim.now + _ms(wait_s), "answer", push.checkout_id, code=code)
    elif code is None and settings.autopilot_ms is not None:
        sim.later(sim.now + settings.autopilot_ms, "answer", push.checkout_id, code="0")
    return push


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def decide(sim: Simulator, push: Push, action: str, pin: str) -> Push:
    """What the person does with an open prompt: `pin`, `cancel` or `ignore`."""
    sim.journal.add(sim.now, "payer", "phone", reference=push.account, phone=push.phone, action=action)
    if action == "ignore":
        return sim.keep_push(replace(push, ignored=True))
    code = "1032" if action == "cancel" else _pin_result(sim, push, pin)
    return _answered(sim, push, code)


def _pin_result(sim: Simulator, push: Push, pin: str) -> str:
    if pin == WRONG_PIN:
        return "2001"
    paid_ms = sim.finder.paid_ms(push.shortcode, push.payer, push.amount)
    if paid_ms is not None and sim.now - paid_ms < _ms(sim.settings.rule_17_s):
        return "17"
    payer = sim.subscriber(push.payer)
    return "1" if payer.pinned and payer.balance < push.amount * 100 else "0"


def _answered(sim: Simulator, push: Push, code: str) -> Push:
    push = sim.keep_push(replace(push, state="answered", code=code, answered_ms=sim.now))
    if not push.behaviour.before_ack:
        wait_s = push.behaviour.settle_s
        wait_s = sim.settings.settle_s if wait_s is None else sim.settings.pending_s if wait_s < 0 else wait_s
        sim.later(sim.now + _ms(wait_s), "settle", push.checkout_id)
    return push


def on_answer(sim: Simulator, due: Due, _turn: Turn) -> None:
    """A scripted payer answers, unless the prompt is over."""
    push = sim.pushes.get(due.subject)
    if push is not None and push.state == "open":
        _answered(sim, push, due.load["code"])


def on_prompt_end(sim: Simulator, due: Due, turn: Turn) -> None:
    """The prompt's life is over: silence is a result, or the start of a longer silence."""
    push = sim.pushes.get(due.subject)
    if push is None or push.state != "open":
        return
    behaviour = push.behaviour
    if behaviour.late_s is not None and behaviour.first_code is None:
        sim.keep_push(replace(push, state="silent"))
        return
    code = behaviour.first_code or (behaviour.code if behaviour.code in codes.SILENCE else "1037")
    sim.keep_push(replace(push, state="answered", code=code, answered_ms=sim.now))
    settle(sim, push.checkout_id, turn)


def on_late(sim: Simulator, due: Due, turn: Turn) -> None:
    """The outcome that nobody waits for any more; it replaces an earlier failure."""
    push = sim.pushes.get(due.subject)
    if push is not None and push.receipt is None:
        sim.keep_push(replace(push, state="answered", code=due.load["code"], answered_ms=sim.now))
        settle(sim, push.checkout_id, turn)


def on_settle(sim: Simulator, due: Due, turn: Turn) -> None:
    settle(sim, due.subject, turn)


def settle(sim: Simulator, checkout_id: str, turn: Turn) -> None:
    """M-Pesa is done: money moves if the code says so, and the news goes out."""
    push = sim.pushes.get(checkout_id)
    if push is None or push.state == "done":
        return
    if push.code == "0":
        push = _pay(sim, push, turn)
    push = sim.keep_push(replace(push, state="done", done_ms=sim.now))
    behaviour = push.behaviour
    if behaviour.copies > 0:
        at_ms = sim.now + _ms(behaviour.callback_s)
        callbacks.post(
            sim,
            turn,
            "callback",
            push.account,
            push.callback_url,
            push_body(sim, push),
            at_ms,
            behaviour.copies,
            shortcode=push.shortcode,
        )


def push_body(sim: Simulator, push: Push) -> str:
    """The callback of a settled push, as its behaviour tells it."""
    behaviour = push.behaviour
    amount = push.amount if behaviour.callback_amount is None else behaviour.callback_amount
    amount = push.amount + 1 if amount < 0 else amount
    code = behaviour.callback_code or push.code or "0"
    prefix = PREFIX if sim.settings.text_prefix else ""
    style = sim.settings.callback_phone
    return callbacks.push_result(push, code=code, amount=amount, phone_style=style, prefix=prefix)


def _pay(sim: Simulator, push: Push, turn: Turn) -> Push:
    receipt = sim.ids.receipt(sim.now)
    is_till = push.transaction_type == "CustomerBuyGoodsOnline"
    payment = Payment(
        receipt=receipt,
        organisation=push.party_b,
        amount=push.amount,
        phone=push.payer,
        account="" if is_till else push.account,  # A till's customers have no account.
        created_ms=push.created_ms,
        origin="push",
        originator_id=push.merchant_id,
        script=push.script,
        behaviour=push.behaviour,
    )
    payments.complete(sim, turn, payment, reference=push.account, checkout_request_id=push.checkout_id)
    return replace(push, receipt=receipt)
