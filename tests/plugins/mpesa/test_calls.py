"""Calls over real sockets: the shared token, its one refresher, and the promise that nothing else is sent twice."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from ports.callback import ReplyTo
from ports.context import Environment
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.money import KES, Asset, Money
from ports.payment_rail import Collection, Question
from ports.payout_channel import Bundle, Destination, DestinationKind, Instruction
from ports.report import FailureKind, Status
from tests.fakes.context import MORNING, FakeSharedMemory, FakeWorld
from tests.plugins.mpesa.papers import (
    B2C_OK,
    CHECKOUT,
    INCAPSULA,
    PAYOUT,
    PHONE,
    PUSH_OK,
    REPLY_TO,
    TOKEN_OK,
    certificate,
    channel_values,
    error,
    query_answer,
    rail_values,
)
from tests.plugins.scripted import ScriptedServer, hang_up, reply, scripted_server

OAUTH = "/oauth/v1/generate"
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
B2C = "/mpesa/b2c/v3/paymentrequest"
STATUS = "/mpesa/transactionstatus/v1/query"
STALE = reply(404, error("404.001.03", "Invalid Access Token"))


def collection(**changed: object) -> Collection:
    asked = Collection(
        reference="SHOP-7K2M4Q",
        amount=Money(units=1000, asset=KES),
        payer=PHONE,
        text="Order 2041",
        reply_to=REPLY_TO,
        expires_at=MORNING,
    )
    return replace(asked, **changed)  # type: ignore[arg-type]


def instruction(**changed: object) -> Instruction:
    asked = Instruction(
        reference=PAYOUT,
        amount=Money(units=1000, asset=KES),
        destination=Destination(kind=DestinationKind.MPESA_PHONE, account=PHONE),
        text="Sales of Monday",
        reply_to=REPLY_TO,
    )
    return replace(asked, **changed)  # type: ignore[arg-type]


def bundle(**changed: object) -> Bundle:
    return Bundle(id=str(uuid4()), instructions=(instruction(**changed),))


def question(provider_reference: str | None = CHECKOUT, reference: str = "SHOP-7K2M4Q") -> Question:
    return Question(
        reference=reference,
        provider_reference=provider_reference,
        receipt_number=None,
        started_at=MORNING,
        reply_to=REPLY_TO,
    )


class Hindsight(FakeSharedMemory):
    """Another process finishes fetching just before the lock is ours."""

    def __init__(self, world: FakeWorld) -> None:
        super().__init__(clock=world.clock)

    @contextmanager
    def only_one(self, key: str, *, life_s: int) -> Iterator[bool]:
        self.put(key.removesuffix(":lock"), "theirs", life_s=1000)
        with super().only_one(key, life_s=life_s) as mine:
            yield mine


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        running.on(OAUTH, reply(200, TOKEN_OK))
        running.on(PUSH, reply(200, PUSH_OK))
        running.on(QUERY, reply(200, query_answer("0")))
        running.on(B2C, reply(200, B2C_OK))
        running.on(STATUS, reply(200, B2C_OK))
        yield running


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def rail(server: ScriptedServer, world: FakeWorld) -> MpesaPush:
    return MpesaPush.build(rail_values(server.url), world.context)


@pytest.fixture
def channel(server: ScriptedServer, world: FakeWorld) -> MpesaB2c:
    return MpesaB2c.build(channel_values(server.url), world.context)


class TestWhatIsSent:
    """The requests as the provider sees them."""

    def test_a_push(self, server: ScriptedServer, rail: MpesaPush) -> None:
        assert rail.start(collection()).provider_reference == CHECKOUT
        token, push = server.seen
        assert (token.method, token.path) == ("GET", OAUTH + "?grant_type=client_credentials")
        assert b64decode(token.headers["authorization"].removeprefix("Basic ")) == b"consumer-key-1:consumer-secret-1"
        assert (push.headers["authorization"], push.headers["content-type"]) == (
            "Bearer c9SQxWWhmdVRlyh0zh8gZDTkubVF",
            "application/json",
        )
        body = push.json
        assert (body["Amount"], body["PhoneNumber"], body["AccountReference"]) == (10, 254708374149, "SHOP-7K2M4Q")
        assert (body["Timestamp"], body["CallBackURL"]) == ("20261124103000", REPLY_TO.url)

    def test_a_push_query(self, server: ScriptedServer, rail: MpesaPush) -> None:
        assert rail.look_up(question()).status is Status.SUCCEEDED
        body = server.seen_at(QUERY)[0].json
        assert sorted(body) == ["BusinessShortCode", "CheckoutRequestID", "Password", "Timestamp"]
        assert body["CheckoutRequestID"] == CHECKOUT

    def test_without_their_id_there_is_no_question(self, server: ScriptedServer, rail: MpesaPush) -> None:
        assert rail.look_up(question(provider_reference=None)).status is Status.NO_NEWS
        assert server.seen == []

    def test_a_payout(self, server: ScriptedServer, channel: MpesaB2c) -> None:
        (report,) = channel.submit(bundle()).reports
        assert (report.status, report.reference) == (Status.PENDING, PAYOUT)
        body = server.seen_at(B2C)[0].json
        assert certificate().open(body.pop("SecurityCredential")) == "Safaricom999!*!"
        assert body == {
            "OriginatorConversationID": PAYOUT,
            "InitiatorName": "testapi",
            "CommandID": "BusinessPayment",
            "Amount": 10,
            "PartyA": 600992,
            "PartyB": 254708374149,
            "Remarks": "Sales of Monday",
            "QueueTimeOutURL": REPLY_TO.url,
            "ResultURL": REPLY_TO.url,
            "Occassion": "",
        }

    def test_the_same_bundle_is_the_same_bytes(self, server: ScriptedServer, channel: MpesaB2c) -> None:
        for _ in range(2):
            channel.submit(bundle())
        first, second = server.seen_at(B2C)
        assert first.body == second.body

    def test_a_status_question(self, server: ScriptedServer, channel: MpesaB2c) -> None:
        assert channel.look_up(question(None, PAYOUT)).asked
        body = server.seen_at(STATUS)[0].json
        assert certificate().open(body.pop("SecurityCredential")) == "Safaricom999!*!"
        assert body == {
            "Initiator": "testapi",
            "CommandID": "TransactionStatusQuery",
            "OriginalConversationID": PAYOUT,
            "PartyA": 600992,
            "IdentifierType": "4",
            "ResultURL": REPLY_TO.url,
            "QueueTimeOutURL": REPLY_TO.url,
            "Remarks": "Status",
            "Occasion": "",
        }


class TestBeforeSending:
    """What is refused with nothing sent."""

    @pytest.mark.parametrize(
        ("changed", "kind"),
        [
            ({"amount": Money(units=1050, asset=KES)}, FailureKind.OTHER),
            ({"amount": Money(units=0, asset=KES)}, FailureKind.OVER_LIMIT),
            ({"amount": Money(units=99, asset=KES)}, FailureKind.OVER_LIMIT),
            ({"amount": Money(units=25_000_100, asset=KES)}, FailureKind.OVER_LIMIT),
            ({"amount": Money(units=1000, asset=Asset(code="USDC.celo", scale=6))}, FailureKind.OTHER),
            ({"payer": None}, FailureKind.DESTINATION_INVALID),
            ({"payer": "+255708374149"}, FailureKind.DESTINATION_INVALID),
            ({"reference": "SHOP-7K2M4QX2"}, FailureKind.OTHER),
            ({"reference": "shop-7k2m4q"}, FailureKind.OTHER),
            ({"reference": ""}, FailureKind.OTHER),
        ],
    )
    def test_a_push(
        self, server: ScriptedServer, rail: MpesaPush, changed: dict[str, object], kind: FailureKind
    ) -> None:
        with pytest.raises(Refused) as caught:
            rail.start(collection(**changed))
        assert (caught.value.failure.kind, server.seen) == (kind, [])

    @pytest.mark.parametrize(
        "changed",
        [
            {"amount": Money(units=1001, asset=KES)},
            {"amount": Money(units=900, asset=KES)},
            {"amount": Money(units=25_000_100, asset=KES)},
            {"destination": Destination(kind=DestinationKind.TILL, account="123456")},
            {"destination": Destination(kind=DestinationKind.MPESA_PHONE, account="0708374149")},
            {"reference": PAYOUT + "0"},
        ],
    )
    def test_a_payout(self, server: ScriptedServer, channel: MpesaB2c, changed: dict[str, object]) -> None:
        with pytest.raises(Refused):
            channel.submit(bundle(**changed))
        assert server.seen == []

    @pytest.mark.parametrize("count", [0, 2])
    def test_a_bundle_of_another_size(self, server: ScriptedServer, channel: MpesaB2c, count: int) -> None:
        with pytest.raises(Refused):
            channel.submit(Bundle(id="1", instructions=(instruction(),) * count))
        assert server.seen == []

    @pytest.mark.parametrize(
        "url", ["https://gw.example/mpesa/1", "https://gw.example/EXEC/1", "ftp://gw.example/1", ""]
    )
    def test_a_reply_url_that_safaricom_refuses(self, server: ScriptedServer, rail: MpesaPush, url: str) -> None:
        with pytest.raises(Misconfigured, match="reply URL"):
            rail.start(collection(reply_to=ReplyTo(url=url)))
        assert server.seen == []

    def test_a_live_connection_is_called_back_over_https_alone(self) -> None:
        values = {name: value for name, value in rail_values("").items() if name != "base_url"}
        rail = MpesaPush.build(values, FakeWorld(environment=Environment.LIVE).context)
        with pytest.raises(Misconfigured, match="https only"):
            rail.start(collection(reply_to=ReplyTo(url="http://gw.example/cb/1")))


class TestToken:
    """One token for all, one refresher, one more try."""

    def test_it_is_shared_between_processes(self, server: ScriptedServer, world: FakeWorld) -> None:
        for _ in range(3):
            MpesaPush.build(rail_values(server.url), world.context).start(collection())
        assert len(server.seen_at(OAUTH)) == 1

    def test_other_keys_have_another_token(self, server: ScriptedServer, world: FakeWorld) -> None:
        for key in ("one", "two"):
            MpesaPush.build(rail_values(server.url) | {"consumer_key": key}, world.context).start(collection())
        assert len(server.seen_at(OAUTH)) == 2

    @pytest.mark.parametrize("life", ["3599", 3599])
    def test_it_is_dropped_early(self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush, life: object) -> None:
        server.on(OAUTH, reply(200, TOKEN_OK | {"expires_in": life}))
        rail.start(collection())
        world.clock.forward(3599 - 120)
        rail.start(collection())
        assert len(server.seen_at(OAUTH)) == 1
        world.clock.forward(60)
        rail.start(collection())
        assert len(server.seen_at(OAUTH)) == 2

    @pytest.mark.parametrize("life", [None, "soon", -5, 0, "", 10**30])
    def test_an_odd_life_is_a_short_one(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush, life: object
    ) -> None:
        server.on(OAUTH, reply(200, TOKEN_OK | {"expires_in": life}))
        assert rail.start(collection()).status is Status.PENDING
        world.clock.forward(301)
        rail.start(collection())
        assert len(server.seen_at(OAUTH)) == 2

    @pytest.mark.parametrize(
        "refusal",
        [
            STALE,
            reply(401, error("401.002.01", "Error Occurred - Invalid Access Token - x")),
            reply(401, error("401.003.01", "Invalid token")),
            reply(400, error("400.003.01", "Invalid Access Token")),
            reply(401, error("401.001", "Invalid token")),
            reply(401),
        ],
    )
    def test_a_refused_token_is_renewed_once_and_the_call_sent_again(
        self, server: ScriptedServer, rail: MpesaPush, refusal: object
    ) -> None:
        server.on(OAUTH, reply(200, TOKEN_OK), reply(200, TOKEN_OK | {"access_token": "second"}))
        server.script[PUSH] = [refusal, reply(200, PUSH_OK)]  # type: ignore[list-item]
        assert rail.start(collection()).status is Status.PENDING
        first, second = server.seen_at(PUSH)
        assert (second.headers["authorization"], second.body) == ("Bearer second", first.body)

    def test_a_token_that_another_process_renewed_is_used(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        rail.start(collection())
        (key,) = world.shared.kept

        def meanwhile(peer: object, stopped: object) -> None:
            world.shared.put(key, "theirs", life_s=1000)
            STALE(peer, stopped)  # type: ignore[arg-type]

        server.on(PUSH, meanwhile, reply(200, PUSH_OK))
        assert rail.start(collection()).status is Status.PENDING
        assert server.seen_at(PUSH)[-1].headers["authorization"] == "Bearer theirs"
        assert len(server.seen_at(OAUTH)) == 1

    def test_a_token_fetched_between_our_look_and_our_lock_is_used(
        self, server: ScriptedServer, world: FakeWorld
    ) -> None:
        rail = MpesaPush.build(rail_values(server.url), replace(world.context, shared=Hindsight(world)))
        assert rail.start(collection()).status is Status.PENDING
        assert server.seen_at(OAUTH) == []
        assert server.seen_at(PUSH)[0].headers["authorization"] == "Bearer theirs"

    def test_a_second_refusal_is_our_set_up(self, server: ScriptedServer, rail: MpesaPush) -> None:
        server.on(PUSH, STALE)
        with pytest.raises(Misconfigured, match=r"push: a fresh token was refused \(404\.001\.03\)"):
            rail.start(collection())
        assert (len(server.seen_at(PUSH)), len(server.seen_at(OAUTH))) == (2, 2)

    def test_a_missing_product_is_our_set_up_after_one_renewal(self, server: ScriptedServer, rail: MpesaPush) -> None:
        server.on(PUSH, reply(404, error("404.001.03", "Error: Invalid API call as no apiproduct match found")))
        with pytest.raises(Misconfigured, match="lacks this API product"):
            rail.start(collection())
        assert (len(server.seen_at(PUSH)), len(server.seen_at(OAUTH))) == (2, 2)

    @pytest.mark.parametrize(
        "refusal",
        [
            reply(400),
            reply(400, error("400.008.01", "Invalid Authentication passed")),
            reply(400, error("400.008.02", "Invalid grant type passed")),
            reply(401),
            reply(403, error("403.002.1001", "no")),
        ],
    )
    def test_wrong_keys_are_our_set_up_and_asked_once(
        self, server: ScriptedServer, rail: MpesaPush, refusal: object
    ) -> None:
        server.script[OAUTH] = [refusal]  # type: ignore[list-item]
        with pytest.raises(Misconfigured, match="token: refused"):
            rail.start(collection())
        assert [seen.path for seen in server.seen] == [OAUTH + "?grant_type=client_credentials"]

    @pytest.mark.parametrize(
        ("trouble", "whole"),
        [
            (hang_up, False),
            (reply(503, INCAPSULA), False),
            (reply(403, INCAPSULA), True),
            (reply(429), True),
            (reply(500, error("500.003.02", "Spike Arrest Violation")), True),
            (reply(500, error("500.003.02", "System is busy")), False),
            (reply(200, INCAPSULA), False),
            (reply(200, {"access_token": ""}), False),
            (reply(200, {"access_token": "bad\r\nheader"}), False),
            (reply(302), False),
        ],
    )
    def test_trouble_with_the_token_is_not_sent(
        self, server: ScriptedServer, rail: MpesaPush, trouble: object, whole: bool
    ) -> None:
        server.script[OAUTH] = [trouble]  # type: ignore[list-item]
        with pytest.raises(NotSent) as caught:
            rail.start(collection())
        assert (caught.value.whole_connection, server.seen_at(PUSH)) == (whole, [])

    def test_many_at_once_fetch_one_token(self, server: ScriptedServer, world: FakeWorld) -> None:
        fetched = threading.Event()

        def slowly(peer: object, stopped: threading.Event) -> None:
            fetched.wait(5)
            reply(200, TOKEN_OK)(peer, stopped)  # type: ignore[arg-type]

        server.on(OAUTH, slowly)
        context = replace(world.context, wait=lambda s: (fetched.set(), threading.Event().wait(s / 5))[1])  # type: ignore[arg-type,return-value]
        done: list[Status] = []

        def one() -> None:
            done.append(MpesaPush.build(rail_values(server.url), context).start(collection()).status)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert (done, len(server.seen_at(OAUTH))) == ([Status.PENDING] * 4, 1)

    def test_a_refresher_that_does_not_finish_is_not_waited_for_long(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        rail.start(collection())
        (key,) = world.shared.kept
        world.shared.kept.clear()
        world.shared.locked.add(f"{key}:lock")
        with pytest.raises(NotSent, match="another process"):
            rail.start(collection())
        assert (sum(world.waited) < 10, len(server.seen_at(PUSH))) == (True, 1)

    def test_without_shared_memory_every_call_fetches(
        self, server: ScriptedServer, world: FakeWorld, rail: MpesaPush
    ) -> None:
        world.shared.reachable = False
        for _ in range(2):
            assert rail.start(collection()).status is Status.PENDING
        assert len(server.seen_at(OAUTH)) == 2


class TestSentOnce:
    """Whatever goes wrong, a money call leaves once."""

    @pytest.mark.parametrize(
        "trouble",
        [
            hang_up,
            reply(500, error("500.003.02", "System is busy")),
            reply(502),
            reply(503, INCAPSULA),
            reply(200),
            reply(429),
            reply(302, b"", Location="/mpesa/stkpush/v1/processrequest"),
        ],
    )
    def test_a_push_and_a_payout(
        self, server: ScriptedServer, rail: MpesaPush, channel: MpesaB2c, trouble: object
    ) -> None:
        server.script |= {PUSH: [trouble], B2C: [trouble]}  # type: ignore[list-item]
        calls: list[Callable[[], object]] = [lambda: rail.start(collection()), lambda: channel.submit(bundle())]
        for call in calls:
            with pytest.raises((OutcomeUnknown, NotSent)):
                call()
        assert (len(server.seen_at(PUSH)), len(server.seen_at(B2C))) == (1, 1)

    def test_an_answer_that_breaks_off_is_unknown_to_the_question_too(
        self, server: ScriptedServer, rail: MpesaPush, channel: MpesaB2c
    ) -> None:
        server.on(QUERY, hang_up)
        server.on(STATUS, hang_up)
        with pytest.raises(OutcomeUnknown):
            rail.look_up(question())
        with pytest.raises(OutcomeUnknown):
            channel.look_up(question(None, PAYOUT))


def test_neither_messages_nor_the_log_hold_anything_secret_or_personal(
    server: ScriptedServer, world: FakeWorld, rail: MpesaPush, channel: MpesaB2c
) -> None:
    said: list[str] = []
    for act in (
        hang_up,
        reply(500, error("500.001.1001", f"odd {CHECKOUT}")),
        STALE,
        reply(400, error(CHECKOUT, PHONE)),
    ):
        server.script |= {path: [act] for path in (PUSH, QUERY, B2C, STATUS)}
        calls: list[Callable[[], object]] = [
            lambda: rail.start(collection()),
            lambda: rail.look_up(question()),
            lambda: channel.submit(bundle()),
            lambda: channel.look_up(question(None, PAYOUT)),
        ]
        for call in calls:
            try:
                call()
            except PortError as caught:
                said.append(
                    f"{caught} {caught!r} {caught.__cause__!r} {caught.__context__ if caught.__cause__ else ''}"
                )
    said += [str(line) for line in world.log.lines]
    private = ("708374149", "consumer", "bfb279", "Safaricom999", channel.credential, "c9SQxWWh", REPLY_TO.url, PAYOUT)
    assert len(said) > 20
    assert [(secret, line) for secret in private for line in said if secret in line] == []
