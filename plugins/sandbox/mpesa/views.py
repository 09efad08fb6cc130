"""What the control API shows: the journal, the state, pushes, payouts, messages, scripts and credentials."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from plugins.sandbox.mpesa import b2c, books, clock, export, orders, payments, push
from plugins.sandbox.mpesa.behaviours import AMOUNT_HEAD, CATALOGUE, NUMBER_HEAD, as_document
from plugins.sandbox.mpesa.journal import as_lines
from plugins.sandbox.mpesa.records import Armed
from plugins.sandbox.mpesa.simulator import Simulator

# On the account of every organisation here, to register Pull with.
NOMINATED = "254708374149"
Body = dict[str, Any]
Args = dict[str, str]


class Wrong(Exception):
    """The control call cannot be obeyed; `status` is 400 or 404."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status


def read_journal(sim: Simulator, args: Args) -> Body:
    """Entries after a number, filtered by endpoint, kind, phone or reference, with the counts of the whole journal."""
    try:
        after = int(args.get("after", "0"))
    except ValueError as error:
        raise Wrong("after is a number") from error
    since = args.get("since", "")
    try:
        since = clock.iso(clock.parse(since)) if since else ""
    except ValueError as error:
        raise Wrong("since is an ISO 8601 instant") from error
    names = ("endpoint", "kind", "phone", "reference", "shortcode")
    with sim.look():
        entries = sim.journal.select(after=after, since=since, **{name: args.get(name, "") for name in names})
        last = sim.journal.last
        return {"seed": sim.ids.seed, "entries": entries, "last": last, "counts": sim.journal.counts()}


def read_statement(sim: Simulator, args: Args) -> str:
    """The statement of a `shortcode` (and `account`) from `since` to before `until`, as a CSV file. Raises Wrong."""
    number, pocket = args.get("shortcode", ""), args.get("account", "")
    if number not in sim.world.shortcodes:
        raise Wrong("no such shortcode", 404)
    if pocket and pocket not in books.ACCOUNTS:
        raise Wrong(f"account is one of {', '.join(books.ACCOUNTS)}")
    with sim.look():
        try:
            until_ms = clock.parse(args["until"]) if args.get("until") else sim.now + 1000
            since_ms = clock.parse(args["since"]) if args.get("since") else _beginning(sim, until_ms)
        except ValueError as error:
            raise Wrong("since and until are ISO 8601 instants") from error
        return export.as_csv(sim, number, pocket, since_ms, until_ms)


def _beginning(sim: Simulator, until_ms: int) -> int:
    """The start of the day on which anything first happened."""
    first = next((row.done_ms for row in sim.rows.values()), until_ms)
    return clock.day_start(min(first, until_ms))


def read_lines(sim: Simulator) -> str:
    """The whole event log as JSON lines."""
    with sim.look():
        return as_lines(sim.journal.entries)


def read_state(sim: Simulator, _args: Args) -> Body:
    """Clock, settings, balances, open prompts, what is armed and due."""
    with sim.look():
        due = sorted(sim.due.values(), key=lambda one: (one.at_ms, one.no))
        return {
            "seed": sim.ids.seed,
            "position": sim.ids.position,
            "clock": _clock(sim),
            "settings": asdict(sim.settings),
            "balances": {number: held_by(sim, number) for number in sim.world.shortcodes},
            "open_prompts": [
                push.shown(sim, found)
                for phone in sim.finder.phones_with_prompts()
                for checkout_id in sim.finder.open_on(phone)
                if (found := sim.pushes.get(checkout_id)) is not None
            ],
            "armed": [armed(one) for one in sim.armed.values()],
            "due": [{"at": clock.iso(one.at_ms), "what": one.what, "subject": one.subject} for one in due[:200]],
            "pushes": len(sim.pushes),
            "payouts": len(sim.payouts),
            "payments": len(sim.payments),
        }


def read_clock(sim: Simulator, _args: Args) -> Body:
    with sim.look():
        return _clock(sim)


def read_pushes(sim: Simulator, args: Args) -> Body:
    """Pushes, newest first; by `phone`, `reference` or `checkout_request_id`."""
    with sim.look():
        shown = [push.shown(sim, one) for one in sim.pushes.newest_first()]
    return {"pushes": _matching(shown, args, ("phone", "reference", "checkout_request_id"))}


def read_payouts(sim: Simulator, args: Args) -> Body:
    """Payouts, newest first; by `phone` or `originator_conversation_id`."""
    with sim.look():
        shown = [b2c.shown(one) for one in sim.payouts.newest_first()]
    return {"payouts": _matching(shown, args, ("phone", "originator_conversation_id"))}


def read_payments(sim: Simulator, args: Args) -> Body:
    """Customers' payments, newest first; by `phone`, `shortcode`, `account`, `receipt`."""
    with sim.look():
        shown = [payments.shown(one) for one in sim.payments.newest_first()]
    return {"payments": _matching(shown, args, ("phone", "shortcode", "account", "receipt"))}


def read_orders(sim: Simulator, args: Args) -> Body:
    """B2B payments and reversals, newest first; by `kind`, `shortcode`, `subject`."""
    with sim.look():
        shown = [orders.shown(one) for one in sim.orders.newest_first()]
    return {"orders": _matching(shown, args, ("kind", "shortcode", "subject"))}


def read_urls(sim: Simulator, _args: Args) -> Body:
    """Where organisations want to be told of customers' payments."""
    with sim.look():
        return {"urls": [asdict(one) for one in sim.urls.values()]}


def read_messages(sim: Simulator, args: Args) -> Body:
    """The messages on a `phone`, newest first."""
    with sim.look():
        texts = [one for one in sim.texts.newest_first() if one.phone == args.get("phone")]
    return {"messages": [{"at": clock.iso(one.at_ms), "body": one.body} for one in texts]}


def read_scripts(sim: Simulator, _args: Args) -> Body:
    """What is armed, and the catalogue with its magic numbers and amounts."""
    with sim.look():
        waiting = [armed(one) for one in sim.armed.values()]
    known = [
        {
            "name": one.name,
            "number": NUMBER_HEAD + one.ending,
            "amount": AMOUNT_HEAD + int(one.ending) or None,
            "where": list(one.where),
            "says": one.says,
            "behaviour": as_document(one.does),
        }
        for one in CATALOGUE
    ]
    return {"armed": waiting, "catalogue": known}


def read_deliveries(sim: Simulator, _args: Args) -> Body:
    """How the last thousand callbacks were received since the start; not part of the journal."""
    return {"deliveries": list(sim.courier.outcomes)}


def read_credentials(sim: Simulator, _args: Args) -> Body:
    return credentials(sim)


def credentials(sim: Simulator) -> Body:
    """What a tenant of this world would hold."""
    app = sim.world.apps[0]
    codes = sim.world.shortcodes.values()
    collects = next((code for code in codes if code.passkey and not code.tills), None) or next(
        (code for code in codes if code.passkey), None
    )
    pays = next((code for code in codes if "b2c" in code.products and code.initiators), None)
    operator = pays.initiators[0] if pays else None
    store = next((code for code in codes if code.tills and code.passkey), None)
    sends = next((code for code in codes if "b2b" in code.products and code.initiators and not code.till_of), None)
    return {
        "consumer_key": app.consumer_key,
        "consumer_secret": app.consumer_secret,
        "shortcode": collects.number if collects else "",
        "passkey": collects.passkey if collects else "",
        "c2b_version": "v1" if sim.settings.c2b_versions == "v1" else "v2",
        "store_shortcode": store.number if store else "",
        "store_passkey": store.passkey if store else "",
        "till": store.tills[0] if store else "",
        "nominated_number": NOMINATED,
        "b2b_shortcode": sends.number if sends else "",
        "b2c_shortcode": pays.number if pays else "",
        "initiator_name": operator.name if operator else "",
        "initiator_password": operator.password if operator else "",
        "security_credential": sim.keys.seal(operator.password) if operator else "",
        "certificate_pem": sim.keys.certificate_pem,
        "certificate_file": str(sim.keys.certificate_file),
    }


def _matching(shown: list[Body], args: Args, names: tuple[str, ...]) -> list[Body]:
    return [one for one in shown if all(one[name] == args[name] for name in names if name in args)]


def _clock(sim: Simulator) -> Body:
    return {
        "now": clock.iso(sim.now),
        "offset_s": sim.clock.offset_ms / 1000,
        "frozen": sim.clock.frozen_ms is not None,
    }


def held_by(sim: Simulator, number: str) -> Body:
    return {pocket: books.held(sim, number, pocket) / 100 for pocket in books.pockets_in(sim, number)}


def armed(one: Armed) -> Body:
    wants = {"endpoint": one.endpoint, "phone": one.phone, "amount": one.amount, "reference": one.reference}
    return {
        "no": one.no,
        "behaviour": one.name,
        "times": one.times,
        **{name: value for name, value in wants.items() if value},
        "does": as_document(one.behaviour),
    }


READ: dict[str, Callable[[Simulator, Args], Body]] = {
    "journal": read_journal,
    "state": read_state,
    "clock": read_clock,
    "pushes": read_pushes,
    "payouts": read_payouts,
    "payments": read_payments,
    "orders": read_orders,
    "urls": read_urls,
    "messages": read_messages,
    "scripts": read_scripts,
    "deliveries": read_deliveries,
    "credentials": read_credentials,
}


def read(sim: Simulator, path: str, args: Args) -> Body:
    """Answer one control question. Raises Wrong."""
    if path not in READ:
        raise Wrong("no such control", 404)
    return READ[path](sim, args)
