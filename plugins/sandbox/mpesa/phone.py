"""The shopper's phone as a web page: prompts to answer, messages, bad days one click away, and what M-Pesa was asked.

Plain forms and a page that refreshes itself; a small script only makes it quicker. Nothing is loaded from elsewhere.
"""

import mimetypes
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from plugins.sandbox.mpesa import clock, control, fields, prompts, push, scripts, views
from plugins.sandbox.mpesa.behaviours import BY_NAME, CALL, CATALOGUE, Scripted
from plugins.sandbox.mpesa.config import Shortcode
from plugins.sandbox.mpesa.records import Payment, Payout, Push
from plugins.sandbox.mpesa.simulator import Simulator

ROOM = Path(__file__).parent.parent
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
NOTES = {
    "over": "That prompt is over.",
    "pin": "A PIN is four digits.",
    "number": "That is not a Kenyan mobile number.",
    "balance": "A balance is a number of shillings.",
    "amount": "An amount is a number of shillings.",
    "unpaid": "That payment was declined: too little money, a wrong number, or outside M-Pesa's limits.",
    "paid": "Paid.",
    "rejected": "The business did not accept this payment.",
    "asked": "The business is being asked whether it accepts this payment.",
    "armed": "Armed. It happens on the next call for this number.",
}
SHOWN = 40


class PhonePage:
    """`/`, `/phone` and their forms."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._pages = Environment(
            loader=FileSystemLoader(ROOM / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._pages.filters["shillings"] = lambda amount: f"{amount:,}"

    def respond(self, request: Request) -> Response:
        """Answer a page, a form or a file. Raises NotFound."""
        path, asked = request.path, request.method
        if path.startswith("/static/") and asked == "GET":
            return _file(path.removeprefix("/static/"))
        if path == "/" and asked == "GET":
            return self._page(
                "home.html",
                phones=self._phones(),
                organisations=self._organisations(),
                note=NOTES.get(request.args.get("note", "")),
            )
        if path == "/phone" and asked == "GET":
            return self._show(request)
        if path == "/phone/version" and asked == "GET":
            return Response(self._version(), content_type="text/plain", headers=HEADERS)
        if path.startswith("/phone/") and asked == "POST":
            return self._act(request, path.removeprefix("/phone/"))
        raise NotFound

    # Showing

    def _page(self, template: str, **values: Any) -> Response:
        text = self._pages.get_template(template).render(**values)
        return Response(text, content_type="text/html; charset=utf-8", headers=HEADERS)

    def _version(self) -> str:
        with self._sim.look():
            return f"{self._sim.ids.position}.{self._sim.journal.last}.{len(self._sim.texts)}"

    def _phones(self) -> list[dict[str, Any]]:
        with self._sim.look():
            seen: dict[str, dict[str, Any]] = {}
            latest: list[Push | Payout | Payment] = list[Push | Payout | Payment](self._sim.pushes.newest_first())[:200]
            latest += [*self._sim.payouts.newest_first()][:200]
            latest += [*self._sim.payments.newest_first()][:200]
            for one in sorted(latest, key=lambda record: record.created_ms, reverse=True):
                waiting = bool(self._sim.finder.open_on(one.phone))
                seen.setdefault(
                    one.phone,
                    {"number": one.phone, "name": self._sim.subscriber(one.phone).name, "waiting": waiting},
                )
        return list(seen.values())[:20]

    def _show(self, request: Request) -> Response:
        number = normal(request.args.get("number", ""))
        if number is None:
            return redirect("/?note=number", 303)
        sim = self._sim
        with sim.look():
            values = {
                "number": number,
                "name": sim.subscriber(number).name,
                "balance": sim.subscriber(number).balance // 100,
                "pinned": sim.subscriber(number).pinned,
                "time": clock.eat(sim.now),
                "prompt": self._prompt(number),
                "texts": [(clock.eat(t.at_ms), t.body) for t in sim.texts.newest_first() if t.phone == number][:20],
                "armed": [views.armed(one) for one in sim.armed.values() if one.phone in ("", number)],
                "journal": self._asked(number),
                "organisations": self._payable(),
            }
        note = NOTES.get(request.args.get("note", ""))
        return self._page(
            "phone.html", groups=_groups(), common=_common(), note=note, version=self._version(), **values
        )

    def _organisations(self) -> list[Shortcode]:
        return list(self._sim.world.shortcodes.values())

    def _payable(self) -> list[Shortcode]:
        """Paybills and tills; a store is paid through its tills."""
        return [one for one in self._organisations() if "c2b" in one.products and not one.tills]

    def _prompt(self, number: str) -> dict[str, Any] | None:
        for checkout_id in self._sim.finder.open_on(number):
            found = self._sim.pushes.get(checkout_id)
            if found is not None:
                return {
                    "id": found.checkout_id,
                    "says": push.wording(self._sim, found),
                    "ends": clock.eat(found.ends_ms),
                    "ignored": found.ignored,
                    "scripted": found.behaviour.code is not None,
                    "amount": found.amount,
                }
        return None

    def _asked(self, number: str) -> list[dict[str, Any]]:
        """The newest entries about this number, with the posts about its references."""
        journal = self._sim.journal
        mine = journal.about("phone", number)[-20 * SHOWN :]
        about = {entry["no"]: entry for entry in mine}
        for reference in {entry.get("reference", "") for entry in mine} - {""}:
            about |= {entry["no"]: entry for entry in journal.about("reference", reference)}
        return [_line(about[no]) for no in sorted(about, reverse=True)[:SHOWN]]

    # Acting

    def _act(self, request: Request, what: str) -> Response:
        number = normal(request.form.get("number", ""))
        if number is None:
            return redirect("/?note=number", 303)
        acts = {
            "answer": self._answer,
            "arm": self._arm,
            "disarm": self._disarm,
            "balance": self._balance,
            "pay": self._pay,
        }
        if what not in acts:
            raise NotFound
        note = acts[what](number, request)
        return redirect(f"/phone?number={number}{f'&note={note}' if note else ''}", 303)

    def _answer(self, _number: str, request: Request) -> str:
        action, pin = request.form.get("action", ""), request.form.get("pin", "")
        if action == "pin" and not re.fullmatch(r"\d{4}", pin):
            return "pin"
        with self._sim.turn():
            found: Push | None = self._sim.pushes.get(request.form.get("prompt", ""))
            if found is None or found.state != "open" or action not in ("pin", "cancel", "ignore"):
                return "over"
            prompts.decide(self._sim, found, action, pin)
        return ""

    def _arm(self, number: str, request: Request) -> str:
        script = next((one for one in CATALOGUE if one.name == request.form.get("behaviour")), None)
        if script is None:
            raise NotFound
        given: dict[str, Any] = {"behaviour": script.name, "phone": number}
        if len(script.where) == 1:
            given["endpoint"] = script.where[0]
        if script.group == CALL:
            given["code"] = None  # The person at the phone still answers.
        with self._sim.turn():
            scripts.arm(self._sim, given)
        return "armed"

    def _disarm(self, _number: str, request: Request) -> str:
        control.change(self._sim, "scripts/drop", {"no": request.form.get("no", "")})
        return ""

    def _pay(self, number: str, request: Request) -> str:
        shillings = request.form.get("amount", "").replace(",", "")
        if not re.fullmatch(r"\d{1,6}", shillings):
            return "amount"
        given = {"shortcode": request.form.get("to", ""), "account": request.form.get("account", "").strip()}
        try:
            paid = control.change(self._sim, "pay", {"phone": number, "amount": int(shillings), **given})
        except views.Wrong:
            return "unpaid"
        return str(paid["state"])

    def _balance(self, number: str, request: Request) -> str:
        shillings = request.form.get("balance", "").replace(",", "")
        if not re.fullmatch(r"\d{1,6}", shillings):
            return "balance"
        control.change(self._sim, "subscribers", {"phone": number, "balance": int(shillings)})
        return ""


def normal(typed: str) -> str | None:
    """A number as people type it, as 254…; None if it is not one."""
    digits = re.sub(r"[\s()+-]", "", typed)
    digits = re.sub(r"^0(?=[17]\d{8}$)", "254", digits)
    digits = re.sub(r"^(?=[17]\d{8}$)", "254", digits)
    return digits if fields.MSISDN.fullmatch(digits) else None


COMMON = (
    "cancel", "wrong_pin", "insufficient_funds", "no_answer", "late_success", "lost_callback", "duplicate_callback",
    "lost_ack",
)  # fmt: skip


def _common() -> list[Scripted]:
    return [BY_NAME[name] for name in COMMON]


def _groups() -> list[tuple[str, list[Scripted]]]:
    names = dict.fromkeys(one.group for one in CATALOGUE)
    return [(name, [one for one in CATALOGUE if one.group == name]) for name in names]


ASKED = {
    "push": "Prompt asked",
    "query": "Push query",
    "b2c": "Payout asked",
    "status": "Status query",
    "balance": "Balance query",
    "reversal": "Reversal ordered",
    "simulate": "Payment simulated",
}
POSTED = {
    "callback": "Callback posted",
    "result": "Result posted",
    "timeout": "Time-out posted",
    "status result": "Status posted",
    "confirmation": "Confirmation posted",
    "validation": "Validation asked",
}


def _line(entry: dict[str, Any]) -> dict[str, Any]:
    """One journal entry as the page shows it."""
    line = {"no": entry["no"], "time": entry["time"][11:19], "kind": entry["kind"]}
    line["reference"] = entry.get("reference", "")
    match entry["kind"]:
        case "request":
            answer = entry["answer"]
            how = f"HTTP {answer['http']}" if "http" in answer else "connection cut"
            script = f" · {entry['script']}" if entry["script"] else ""
            line["what"] = ASKED.get(entry["endpoint"], entry["endpoint"])
            line["then"] = f"{entry['effect']} · {how}{script}"
        case "effect":
            line["what"] = str(entry["effect"]).capitalize()
            line["then"] = f"KES {entry['amount']:,} · {entry['receipt']}"
        case "callback":
            line["what"] = POSTED.get(entry["endpoint"], entry["endpoint"])
            line["then"] = _told(entry)
        case "validation":
            line["what"] = "Word on a payment"
            line["then"] = f"code {entry['word']}"
        case _:
            line["what"] = "At the phone"
            line["then"] = entry.get("action", "")
    return line


def _told(entry: dict[str, Any]) -> str:
    body = entry["body"]
    inner = body.get("Body", {}).get("stkCallback") or body.get("Result") or {}
    code = f"code {inner['ResultCode']}" if "ResultCode" in inner else "our request back"
    if "TransID" in body:
        code = f"KES {body['TransAmount']} · {body['TransID']}"
    return f"{code} · {entry['copies']} times" if entry["copies"] > 1 else code


def _file(name: str) -> Response:
    path = ROOM / "static" / name
    if not re.fullmatch(r"[a-z]+\.(css|js|svg)", name) or not path.is_file():
        raise NotFound
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(path.read_bytes(), content_type=kind, headers={"Cache-Control": "no-cache"})
