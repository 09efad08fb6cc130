"""A page on which the prompts of one phone are answered: plain forms, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from html import escape

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from plugins.sandbox.swypt import onramp
from plugins.sandbox.swypt.simulator import Simulator

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox phone · Swypt</title>
<style>body{{font:16px/1.5 system-ui;max-width:28rem;margin:2rem auto;padding:0 1rem}}
form{{border:1px solid #bbb;border-radius:.5rem;padding:1rem;margin:1rem 0}}</style>{head}<body>{body}</body></html>"""
ASK = """<form action="/phone" method="get"><label>Number <input name="number" inputmode="tel"></label>
<button>Open the phone</button></form>"""
PROMPT = """<form action="/phone/answer" method="post"><input type="hidden" name="order" value="{order}">
<input type="hidden" name="number" value="{number}"><p>Pay KES {amount:,} to SWYPT?</p>
<label>M-PESA PIN <input name="pin" type="password" inputmode="numeric" maxlength="4"></label>
<p>Any four digits pay; 0000 is a wrong PIN.</p><button name="action" value="pin">Pay KES {amount:,}</button>
<button name="action" value="cancel">Cancel</button></form>"""


def respond(sim: Simulator, request: Request) -> Response:
    """Answer a page or its form. Raises NotFound."""
    if request.path == "/" and request.method == "GET":
        return _page("<h1>Sandbox · Swypt</h1><p>No real money.</p>" + ASK)
    if request.path == "/phone" and request.method == "GET":
        return _phone(sim, request.args.get("number", ""))
    if request.path == "/phone/answer" and request.method == "POST":
        return _answer(sim, request)
    raise NotFound


def normal(typed: str) -> str | None:
    """A number as people type it, as 254…; None if it is not one."""
    digits = re.sub(r"[\s()+-]", "", typed)
    digits = re.sub(r"^0?(?=[17]\d{8}$)", "254", digits)
    return digits if onramp.PHONE.fullmatch(digits) else None


def _phone(sim: Simulator, typed: str) -> Response:
    number = normal(typed)
    if number is None:
        return _page("<p>That is not a Kenyan mobile number.</p>" + ASK)
    with sim.turn():
        order = onramp.open_on(sim, number)
    shown = "<p>No prompt. When a shop asks this number to pay, it appears here.</p>"
    if order is not None:
        shown = PROMPT.format(order=escape(order.order_id), number=number, amount=order.amount)
    head = "" if order is not None else '<meta http-equiv="refresh" content="2">'
    return _page(f"<h1>0{number[3:]}</h1>{shown}", head)


def _answer(sim: Simulator, request: Request) -> Response:
    action, pin = request.form.get("action", ""), request.form.get("pin", "")
    number = normal(request.form.get("number", "")) or ""
    if action == "cancel" or (action == "pin" and re.fullmatch(r"\d{4}", pin)):
        with sim.turn():
            order = sim.orders.get(request.form.get("order", ""))
            if order is not None and order.state == "PENDING" and not order.is_answered:
                onramp.decide(sim, order, action, pin)
    return redirect(f"/phone?number={number}", 303)


def _page(body: str, head: str = "") -> Response:
    return Response(FRAME.format(head=head, body=body), content_type="text/html; charset=utf-8", headers=HEADERS)
