"""`listen` forwards a business's events to a program on this machine; `events resend` sends one again."""

from __future__ import annotations

import base64
import hmac
import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from threading import Event
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import click
import requests

from gateway.application.deliveries import body_of
from gateway.application.interfaces import WebhookSender
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.ids import Prefix, decode
from gateway.domain.webhooks import wants

_POLL_S = 1.0
_TIMEOUT_S = 10
_PAGE = 100
_PAGES_MAX = 10
_SEEN_MAX = 5000

_key = click.option("--key", envvar="GATEWAY_API_KEY", required=True, help="sk_test_…; or GATEWAY_API_KEY.")
_api = click.option("--api", help="Where the API is; this installation's public URL when left out.")


class HasListener(Protocol):
    """As much of the command line's desk as these commands use."""

    @property
    def settings(self) -> Any:
        """The environment; asked only when --api is left out."""

    def local_sender(self) -> WebhookSender:
        """Sends signed webhooks, also to this machine."""

    def resend_event(self, event_id: UUID, endpoint_id: UUID | None) -> int:
        """As an operator: to how many endpoints it goes again."""


@dataclass(slots=True, kw_only=True)
class Listener:
    """Reads new events again and again and forwards each once, oldest first; what happened before it began is left out.

    `read` gives one page of events, newest first, after a cursor. `say` gets a line for each forwarded event.
    """

    read: Callable[[str | None], Mapping[str, Any]]
    forward: Callable[[Mapping[str, Any]], str]
    say: Callable[[str], object]
    types: tuple[str, ...] = ("*",)
    seen: dict[str, None] = field(default_factory=dict)
    floor: str = ""

    def begin(self) -> None:
        """Note what is there already."""
        newest = [event["id"] for event in self.read(None)["data"]]
        self.seen, self.floor = dict.fromkeys(newest), min(newest, default="")

    def turn(self) -> int:
        """Forward what is new; gives how many."""
        fresh = self._fresh()
        for event in sorted(fresh, key=lambda one: str(one["id"])):
            self.seen[event["id"]] = None
            if wants(self.types, event["type"]):
                self.say(f"{event['type']} {event['id']} -> {self.forward(event)}")
        while len(self.seen) > _SEEN_MAX:
            oldest = next(iter(self.seen))
            self.floor = max(self.floor, oldest)
            del self.seen[oldest]
        return len(fresh)

    def _fresh(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(_PAGES_MAX):
            page = self.read(cursor)
            new = [one for one in page["data"] if one["id"] not in self.seen and one["id"] > self.floor]
            found += new
            cursor = page["next_cursor"]
            # A page without anything new: what is older was seen.
            if cursor is None or not new:
                break
        return found


def listening_secret(key: str) -> str:
    """The secret that forwarded events are signed under: always the same for one API key, and known without asking."""
    made = hmac.digest(key.encode(), b"gateway listen", "sha256")
    return "whsec_" + base64.b64encode(made).decode()


@click.command("listen")
@click.option("--forward-to", help="http://127.0.0.1:PORT/path: a program on this machine.")
@click.option("--events", default="*", show_default=True, help="Types and families, joined by commas.")
@click.option("--print-secret", is_flag=True, help="Print the signing secret and end.")
@_key
@_api
@click.pass_obj
def listen(
    cli: HasListener, forward_to: str | None, events: str, print_secret: bool, key: str, api: str | None
) -> None:
    """Forward a business's events, signed, to a program on this machine."""
    secret = listening_secret(key)
    if print_secret:
        click.echo(secret)
        return
    forward, client = _forwarder(cli, forward_to, secret), _Client(_base(cli, api), key)
    types = tuple(word.strip() for word in events.split(","))
    listener = Listener(read=client.page, forward=forward, say=click.echo, types=types)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    listener.begin()
    click.echo("ready")
    while not stop.wait(_POLL_S):
        try:
            listener.turn()
        except requests.ConnectionError:
            # It comes back, and what happened meanwhile is read then.
            click.echo("the API can't be reached; trying again", err=True)


@click.group("events")
def events_group() -> None:
    """Send events again."""


@events_group.command("resend")
@click.argument("event_id")
@click.option("--endpoint", help="we_…: to this endpoint alone; all that want it when left out.")
@click.option("--forward-to", help="To a program on this machine instead, as `listen` does; needs --key.")
@click.option("--key", envvar="GATEWAY_API_KEY", help="sk_test_…; or GATEWAY_API_KEY.")
@_api
@click.pass_obj
def resend(
    cli: HasListener, event_id: str, endpoint: str | None, forward_to: str | None, key: str | None, api: str | None
) -> None:
    """Send one event again under its `webhook-id`, whether it was taken or not."""
    wanted = _id(Prefix.EVENT, event_id)
    if forward_to is None:
        told = cli.resend_event(wanted, _id(Prefix.WEBHOOK_ENDPOINT, endpoint) if endpoint else None)
        click.echo(f"sent again to {told} endpoints")
        return
    if not key:
        raise Invalid("--forward-to reads the event with a key: give --key or GATEWAY_API_KEY", code="key_required")
    event = _Client(_base(cli, api), key).event(event_id)
    click.echo(_forwarder(cli, forward_to, listening_secret(key))(event))


class _Client:
    """Reads events as their business."""

    def __init__(self, base: str, key: str) -> None:
        self._base, self._session = base, requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def page(self, cursor: str | None) -> Mapping[str, Any]:
        """One page, newest first."""
        asked: dict[str, str | int] = {"limit": _PAGE, **({"starting_after": cursor} if cursor else {})}
        return self._get("/v1/events", asked)

    def event(self, event_id: str) -> Mapping[str, Any]:
        """One event. Raises NotFound."""
        return self._get(f"/v1/events/{event_id}", {})

    def _get(self, path: str, asked: Mapping[str, str | int]) -> Mapping[str, Any]:
        answer = self._session.get(self._base + path, params=dict(asked), timeout=_TIMEOUT_S)
        if answer.status_code == 404:
            raise NotFound("the API knows no such event for this key")
        if answer.status_code != 200:
            raise Invalid(f"the API answers {answer.status_code} at {path}", code="api_refused")
        found: Mapping[str, Any] = answer.json()
        return found


def _forwarder(cli: HasListener, url: str | None, secret: str) -> Callable[[Mapping[str, Any]], str]:
    if url is None:
        raise Invalid("give --forward-to http://127.0.0.1:PORT/path, or --print-secret", code="url_invalid")
    _check_local(url)
    sender = cli.local_sender()

    def forward(event: Mapping[str, Any]) -> str:
        # A delivery's name for receivers that look at it; there is no delivery behind it.
        name = "whd_" + sha256(str(event["id"]).encode()).hexdigest()[:26].upper()
        sent = sender.send(url, secret=secret, message_id=event["id"], delivery_id=name, body=body_of(event))
        return str(sent.status or sent.error)

    return forward


def _check_local(url: str) -> None:
    host = urlsplit(url).hostname or ""
    try:
        own = ip_address(host).is_loopback
    except ValueError:
        own = host == "localhost"
    if not own:
        raise Invalid("events are forwarded to this machine only: 127.0.0.1, [::1] or localhost", code="url_invalid")


def _base(cli: HasListener, api: str | None) -> str:
    return (api or str(cli.settings.public_url)).rstrip("/")


def _id(prefix: Prefix, text: str) -> UUID:
    try:
        return decode(prefix, text)
    except ValueError as error:
        raise Invalid(f"{json.dumps(text)} is no id like {prefix}_…: {error}", code="id_invalid") from None
