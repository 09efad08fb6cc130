"""Calls over real sockets: what is sent, what is refused before, and the promise that nothing is sent twice."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

import pytest

from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from ports.callback import ReplyTo
from ports.context import Environment
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.money import KES, Asset, Money
from ports.payout_channel import Bundle, Destination, DestinationKind
from ports.report import FailureKind, Status
from tests.fakes.context import FakeWorld
from tests.plugins.mpesa.asking import B2C, OAUTH, PUSH, QUERY, STALE, STATUS, bundle, collection, instruction, question
from tests.plugins.mpesa.papers import CHECKOUT, INCAPSULA, PAYOUT, PHONE, REPLY_TO, certificate, error, rail_values
from tests.plugins.scripted import ScriptedServer, hang_up, reply


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
    private = (
        "708374149",
        "consumer",
        "bfb279",
        "Safaricom999",
        channel.operator.credential,
        "c9SQxWWh",
        REPLY_TO.url,
        PAYOUT,
    )
    assert len(said) > 20
    assert [(secret, line) for secret in private for line in said if secret in line] == []
