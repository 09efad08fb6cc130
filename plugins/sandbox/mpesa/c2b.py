"""C2B: `POST /mpesa/c2b/v1|v2/registerurl`, where payments are to be announced, and the sandbox's own `…/simulate`.

In production URLs can be registered once, and are deleted in the portal (Daraja portal, December 2025).
"""

from collections.abc import Callable
from typing import Any

from plugins.sandbox.mpesa import fields, payments, wire
from plugins.sandbox.mpesa.gate import Call, Endpoint, Refusal, Subject, amount_in, error, no_product
from plugins.sandbox.mpesa.records import Urls
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer

COMMANDS = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")


def _about_urls(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(reference=fields.plain(body, "ShortCode"), shortcode=fields.plain(body, "ShortCode"))


def _about_payment(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(
        reference=fields.plain(body, "BillRefNumber"),
        phone=fields.plain(body, "Msisdn"),
        amount=amount_in(body),
        shortcode=fields.plain(body, "ShortCode"),
    )


def _register(version: str) -> Callable[[Simulator, Call, Turn], tuple[Answer, str]]:
    def handle(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
        _open(sim, call, version)
        number = _organisation(sim, call.fields)
        urls = Urls(
            shortcode=number,
            version=version,
            # Exactly these words: nothing else is understood.
            response_type=fields.one_of(call.fields, "ResponseType", ("Completed", "Cancelled")),
            confirmation=fields.url(call.fields, "ConfirmationURL"),
            validation=fields.url(call.fields, "ValidationURL") if call.fields.get("ValidationURL") else "",
        )
        if sim.settings.c2b_once and sim.urls.get(number) is not None:
            raise Refusal(error(sim, 500, "500.003.1001", "Urls are already registered"))
        sim.urls.put(number, urls)
        return _answer(sim, sim.settings.c2b_code, "Success"), "urls registered"

    return handle


def _simulate(version: str) -> Callable[[Simulator, Call, Turn], tuple[Answer, str]]:
    def handle(sim: Simulator, call: Call, turn: Turn) -> tuple[Answer, str]:
        _open(sim, call, version)
        body, number = call.fields, _organisation(sim, call.fields)
        command = fields.one_of(body, "CommandID", COMMANDS)
        amount = fields.whole(body, "Amount", 1, 250_000)
        phone = fields.matching(body, "Msisdn", fields.MSISDN)
        is_till = bool(sim.world.shortcodes[number].till_of)
        if is_till is not (command == COMMANDS[1]):
            raise fields.BadField("CommandID")
        account = "" if is_till else fields.opaque(body, "BillRefNumber", 20)
        try:
            payments.pay(sim, turn, phone=phone, number=number, amount=amount, account=account)
        except payments.Declined as declined:
            return wire.answer({"ResponseCode": declined.code, "ResponseDescription": str(declined)}), "declined"
        return _answer(sim, "0", "Accept the service request successfully."), "payment simulated"

    return handle


def _open(sim: Simulator, call: Call, version: str) -> None:
    if sim.settings.c2b_versions not in ("both", version):
        raise no_product(sim, call)


def _organisation(sim: Simulator, body: dict[str, Any]) -> str:
    number = fields.matching(body, "ShortCode", fields.SHORTCODE)
    known = sim.world.shortcodes.get(number)
    if known is None or "c2b" not in known.products:
        raise fields.BadField("ShortCode")
    return number


def _answer(sim: Simulator, code: str, text: str) -> Answer:
    # The spelling is Safaricom's.
    originator = sim.ids.request_id(sim.settings.identifiers)
    return wire.answer({"OriginatorCoversationID": originator, "ResponseCode": code, "ResponseDescription": text})


ENDPOINTS = {
    f"/mpesa/c2b/{version}/{path}": Endpoint(name=name, product="c2b", method="POST", about=about, handle=make(version))
    for version in ("v1", "v2")
    for path, name, about, make in (
        ("registerurl", "register", _about_urls, _register),
        ("simulate", "simulate", _about_payment, _simulate),
    )
}
