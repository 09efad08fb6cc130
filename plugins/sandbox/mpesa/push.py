"""`POST /mpesa/stkpush/v1/processrequest`: checks a push and puts its prompt on the phone."""

import base64
import binascii
from typing import Any

from plugins.sandbox.mpesa import codes, fields, prompts, tariffs, wire
from plugins.sandbox.mpesa.clock import eat
from plugins.sandbox.mpesa.config import Shortcode
from plugins.sandbox.mpesa.gate import (
    Call,
    Endpoint,
    Subject,
    amount_in,
    behaviour_of,
    merchant_error,
    subscriber_locked,
)
from plugins.sandbox.mpesa.gate import Refusal as Refusal
from plugins.sandbox.mpesa.records import Push
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer

TYPES = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")
ACCEPTED = "Success. Request accepted for processing"


def _about(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(
        reference=fields.plain(body, "AccountReference"),
        phone=fields.plain(body, "PhoneNumber"),
        shortcode=fields.plain(body, "BusinessShortCode"),
        amount=amount_in(body),
    )


def _handle(sim: Simulator, call: Call, turn: Turn) -> tuple[Answer, str]:
    asked = _checked(call.fields)
    shortcode = merchant(sim, call.fields, asked["shortcode"])
    if _locked(sim, asked["phone"]):
        raise Refusal(subscriber_locked(sim))
    behaviour, style = behaviour_of(call), sim.settings.identifiers
    push = Push(
        checkout_id=sim.ids.checkout_id(sim.now, asked["phone"], style),
        merchant_id=sim.ids.request_id(style),
        app=call.key,
        created_ms=sim.now,
        ends_ms=sim.now + round(sim.settings.prompt_life_s * 1000),
        script=call.plan.name,
        behaviour=behaviour,
        **asked,
    )
    push = prompts.begin(sim, push, _misfit(shortcode, push) or behaviour.code, turn)
    payload = {
        "MerchantRequestID": push.merchant_id,
        "CheckoutRequestID": push.checkout_id,
        "ResponseCode": "0",
        "ResponseDescription": ACCEPTED,
        "CustomerMessage": ACCEPTED,
    }
    return wire.answer(payload), "prompt sent" if push.prompted else "accepted without a prompt"


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """The fields in the order in which Daraja blames them. Raises BadField."""
    shortcode = fields.matching(body, "BusinessShortCode", fields.SHORTCODE)
    fields.opaque(body, "Password", 500)
    fields.matching(body, "Timestamp", fields.TIMESTAMP)
    return {
        "shortcode": shortcode,
        "transaction_type": fields.one_of(body, "TransactionType", TYPES),
        "amount": fields.whole(body, "Amount", tariffs.PUSH_MIN, tariffs.PUSH_MAX),
        "payer": fields.matching(body, "PartyA", fields.MSISDN),
        "party_b": fields.matching(body, "PartyB", fields.SHORTCODE),
        "phone": fields.matching(body, "PhoneNumber", fields.MSISDN),
        "callback_url": fields.url(body, "CallBackURL"),
        "account": fields.text(body, "AccountReference", 1, 12),
        # The live sandbox calls it Remarks when it is missing.
        "description": fields.text(body, "TransactionDesc", 1, 13, blamed="Remarks"),
    }


def merchant(sim: Simulator, body: dict[str, Any], number: str) -> Shortcode:
    """The shortcode whose passkey opens the Password. Raises Refusal, as the push and its query word it."""
    shortcode = sim.world.shortcodes.get(number)
    if shortcode is None or not shortcode.passkey:
        raise merchant_error(sim, "Merchant does not exist")
    stamp = fields.plain(body, "Timestamp")
    try:
        opened = base64.b64decode(fields.plain(body, "Password"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        opened = ""
    if opened != f"{number}{shortcode.passkey}{stamp}":
        raise merchant_error(sim, "Wrong credentials")
    return shortcode


def _locked(sim: Simulator, phone: str) -> bool:
    since = sim.now - round(sim.settings.lock_s * 1000)
    pushes = (sim.pushes.get(checkout_id) for checkout_id in sim.finder.open_on(phone))
    return any(push is not None and push.created_ms > since for push in pushes)


def _misfit(shortcode: Shortcode, push: Push) -> str | None:
    """The code of a paybill and till mixed up; the push is accepted and fails at once."""
    if push.transaction_type == "CustomerPayBillOnline":
        fits, known = push.party_b == shortcode.number, push.party_b in shortcode.tills
    else:
        fits, known = push.party_b in shortcode.tills, push.party_b == shortcode.number
    if fits:
        return None
    return "2028" if known else "SFC_IC0003"


def wording(sim: Simulator, push: Push) -> str:
    """The prompt as M-Pesa words it on the phone."""
    name = recipient(sim, push)
    asked = f"Do you want to pay Ksh {push.amount:,} to {name}"
    return f"{asked} Account no. {push.account}?" if push.transaction_type == TYPES[0] else f"{asked}?"


def recipient(sim: Simulator, push: Push) -> str:
    """The organisation that the prompt names."""
    return (sim.world.shortcodes.get(push.party_b) or sim.world.shortcodes[push.shortcode]).name


def shown(sim: Simulator, push: Push) -> dict[str, Any]:
    """A push as the control API and the phone page show it."""
    return {
        "checkout_request_id": push.checkout_id,
        "merchant_request_id": push.merchant_id,
        "reference": push.account,
        "phone": push.phone,
        "amount": push.amount,
        "recipient": recipient(sim, push),
        "callback_url": push.callback_url,
        "state": push.state,
        "prompted": push.prompted,
        "ignored": push.ignored,
        "result_code": push.code,
        "result_text": codes.push_text(push.code) if push.code else None,
        "receipt": push.receipt,
        "script": push.script,
        "created": eat(push.created_ms).isoformat(timespec="milliseconds"),
    }


PUSH = Endpoint(name="push", method="POST", about=_about, handle=_handle)
