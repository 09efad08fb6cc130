"""M-Pesa's adapters with their abilities, each before a scripted Daraja or the simulated one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from plugins.mpesa import wire, wire_more
from plugins.mpesa.b2b import MpesaB2b
from plugins.mpesa.c2b import MpesaCollects
from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from ports.money import KES, Money
from tests.contract.asked import a_phone
from tests.contract.history import SINCE
from tests.plugins.mpesa.papers import certificate, parameters, result, status_answer
from tests.plugins.mpesa.scripted_daraja import Body, ScriptedDaraja, accepted

#: What stands in no message of an error, log or report.
SECRETS = ("consumer-key-5", "consumer-secret-5", "Safaricom999!*!", "testapi", "pass-key-5")
SHORTCODE, BULK = "600966", "600967"
POCKETS = {"Working Account": 70_000_000, "Utility Account": 1_234_50, "Charges Paid Account": -1_540_50}


def values(base_url: str, **more: str) -> dict[str, object]:
    """A connection's configuration with an operator."""
    known = {
        "consumer_key": "consumer-key-5",
        "consumer_secret": "consumer-secret-5",
        "shortcode": SHORTCODE,
        "base_url": base_url,
        "initiator_name": "testapi",
        "initiator_password": "Safaricom999!*!",
        "certificate_pem": certificate().pem,
    }
    return {**known, **more}


def push(daraja: ScriptedDaraja) -> MpesaPush:
    return MpesaPush.build(values(daraja.server.url, passkey="pass-key-5"), daraja.world.context)


def paybill(daraja: ScriptedDaraja) -> MpesaCollects:
    return MpesaCollects.paybill(values(daraja.server.url), daraja.world.context)


def till(daraja: ScriptedDaraja) -> MpesaCollects:
    return MpesaCollects.till(values(daraja.server.url, till="600111"), daraja.world.context)


def b2c(daraja: ScriptedDaraja) -> MpesaB2c:
    return MpesaB2c.build(values(daraja.server.url), daraja.world.context)


def b2b(daraja: ScriptedDaraja) -> MpesaB2b:
    return MpesaB2b.build(values(daraja.server.url, utility_shortcode=BULK), daraja.world.context)


@dataclass(kw_only=True)
class ScriptedRefunds(ScriptedDaraja):
    """Reversals, and questions about them by Safaricom's id."""

    def __post_init__(self) -> None:
        self.on(wire_more.REVERSAL_PATH, self.take)
        self.on(wire.STATUS_PATH, lambda body: self.ask(body, lambda: self._fate(str(body["OriginalConversationID"]))))

    def receive(self, number: int, amount: Money) -> str:
        return f"RKL51ZD{number:03d}"

    def orders_of(self, receipt_number: str) -> int:
        return Counter(order["TransactionID"] for order in self.orders)[receipt_number]

    def _fate(self, originator_id: str) -> object:
        for number, order in enumerate(self.orders, start=1):
            if accepted(number)["OriginatorConversationID"] == originator_id and number in self.ended:
                well = self.ended[number]
                told = {"OriginatorConversationID": originator_id, "Amount": order["Amount"], "DebitPartyCharges": None}
                receipt = f"SKE52PA{number:03d}" if well else None
                return status_answer("Completed" if well else "Declined", **told, ReceiptNo=receipt)
        return result(2032, ResultDesc="No transaction was found.")


@dataclass(kw_only=True)
class ScriptedReceipts(ScriptedDaraja):
    """Questions about a customer's payment by its receipt."""

    def __post_init__(self) -> None:
        self.on(wire.STATUS_PATH, lambda body: self.ask(body, status_answer))


@dataclass(kw_only=True)
class ScriptedPull(ScriptedDaraja):
    """Pull with three rows a page; it keeps to the window."""

    rows: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.on(wire_more.PULL_PATH, self._page)

    def page(self) -> int:
        return 3

    def _page(self, body: Body) -> object:
        at = int(str(body["OffSetValue"]))
        seen = [row for row in self.rows if not isinstance(row, dict) or self._inside(row, body)]
        rows = seen[at : at + self.page()]
        if not rows:
            return {"RequestID": "x", "ResponseCode": "1001", "ResponseMessage": "No records found"}
        return {"ResponseRefID": "x", "ResponseCode": "1000", "ResponseMessage": "Success", "Response": [rows]}

    def _inside(self, row: dict[str, Any], body: Body) -> bool:
        try:
            datetime.fromisoformat(str(row["trxDate"]))
        except (KeyError, ValueError):
            return True
        # Written alike, times of one zone are in the order of their letters.
        at = str(row["trxDate"])[:19].replace("T", " ")
        return str(body["StartDate"]) <= at <= str(body["EndDate"])

    def _row(self, receipt: str, at: datetime, number: int, amount: Money) -> dict[str, object]:
        return {
            "transactionId": receipt,
            "trxDate": at.astimezone(wire.EAT).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "msisdn": int(a_phone(number)[1:]),
            "sender": "JANE DOE",
            "transactiontype": "c2b-pay-bill-debit",
            "billreference": "SHOP-7K2M4Q",
            "amount": f"{amount.to_decimal():.2f}",
            "organizationname": "Daraja Pull API Test",
        }

    def pay(self, number: int, amount: Money) -> str:
        receipt = f"RKL51ZD{number:03d}"
        self.rows.append(self._row(receipt, SINCE + timedelta(minutes=number), number, amount))
        return receipt

    def pay_before(self, amount: Money) -> None:
        self.rows.append(self._row("RKL51ZD999", SINCE - timedelta(hours=1), 99, amount))

    def widen(self) -> None:
        for number, row in enumerate(self.rows):
            assert isinstance(row, dict)
            self.rows[number] = {"newColumn": {"a": [1, None]}, **row, "fees": [], "currency": None}

    def spoil(self) -> int:
        good = self._row("RKL51ZD998", SINCE + timedelta(seconds=30), 98, Money(units=100, asset=KES))
        spoiled: list[object] = [
            good | {"amount": "lots"},
            good | {"amount": 0},
            good | {"amount": None},
            good | {"transactionId": ""},
            good | {"transactionId": ["RKL51ZD998"]},
            {},
            None,
            "a row",
            7,
        ]
        self.rows += spoiled
        return len(spoiled)

    def told(self) -> int:
        lines = self.world.log.lines
        return sum(int(str(said["rows"])) for _, event, said in lines if event == "pull_rows_unreadable")


@dataclass(kw_only=True)
class ScriptedBalance(ScriptedDaraja):
    """Balances, told later as one string."""

    def __post_init__(self) -> None:
        self.on(wire_more.BALANCE_PATH, lambda body: self.ask(body, _pockets))

    def held(self) -> dict[str, int]:
        return dict(POCKETS)


def _pockets() -> object:
    parts = []
    for name, units in POCKETS.items():
        held = f"{'-' if units < 0 else ''}{abs(units) // 100}.{abs(units) % 100:02d}"
        parts.append(f"{name}|KES|{held}|{held}|0.00|0.00")
    return result(0, ResultParameters=parameters(AccountBalance="&".join(parts), BOCompletedTime=20211114132030))


def spoiled_pockets(body: bytes) -> tuple[bytes, ...]:
    """The same answer with one pocket that can't be read."""
    name = b"Utility Account|"
    ways = (b"|KES|", b"Utility Account|USD|", b"Utility Account|KES|lots|", b"Utility Account|KES||")
    return (*(body.replace(name + b"KES|", way + b"x|") for way in ways), body.replace(name, b"Utility Account&"))


@dataclass(kw_only=True)
class ScriptedMoves(ScriptedDaraja):
    """Moves between our own pockets."""

    def __post_init__(self) -> None:
        self.on(wire_more.B2B_PATH, self.take)

    def moves(self) -> int:
        return len(self.orders)


HOLDERS = {("4", "888880"): "KPLC PREPAID", ("2", "600111"): "Mama  Njeri\nDuka"}


@dataclass(kw_only=True)
class ScriptedHolders(ScriptedDaraja):
    """Names of paybills and tills."""

    def __post_init__(self) -> None:
        self.on(wire_more.HOLDER_PATH, self._name)

    def _name(self, body: Body) -> object:
        name = HOLDERS.get((str(body["IdentifierType"]), str(body["Identifier"])))
        if name is None:
            return {"ResponseCode": "4001", "ResponseMessage": "Organization not found"}
        return {"ResponseCode": "4000", "ResponseMessage": "Success", "OrganizationName": name}


@dataclass(kw_only=True)
class ScriptedRegistering(ScriptedDaraja):
    """C2B's addresses, of which production takes one pair; it repeats them in its words."""

    def __post_init__(self) -> None:
        self.on(wire_more.register_path("v2"), self._keep)

    def _keep(self, body: Body) -> object:
        if not self.orders:
            self.take(body)
            words = f"Registered {body['ConfirmationURL']}"
            return {"OriginatorCoversationID": "7619-37765134-1", "ResponseCode": "0", "ResponseDescription": words}
        words = f"Urls are already registered {body['ConfirmationURL']}"
        return {"requestId": "1", "errorCode": "500.003.1001", "errorMessage": words}

    def known(self) -> tuple[str, str | None] | None:
        if not self.orders:
            return None
        return str(self.orders[0]["ConfirmationURL"]), str(self.orders[0]["ValidationURL"])


def confirmation(reference: str, amount: Money, phone: str) -> bytes:
    """What M-Pesa posts before a customer's money moves."""
    return json.dumps(
        {
            "TransactionType": "Pay Bill",
            "TransID": "RKL51ZDR4F",
            "TransTime": "20231121121325",
            "TransAmount": f"{amount.to_decimal():.2f}",
            "BusinessShortCode": SHORTCODE,
            "BillRefNumber": reference,
            "InvoiceNumber": "",
            "OrgAccountBalance": "",
            "ThirdPartyTransID": "",
            "MSISDN": phone[1:],
            "FirstName": "NICHOLAS",
            "MiddleName": "",
            "LastName": "",
        }
    ).encode()


def pays(answer: bytes) -> bool:
    """Whether M-Pesa takes the money after that answer."""
    return json.loads(answer)["ResultCode"] in ("0", 0)


_HEAD = """Organization Statement,,,
Short Code:,600966,Account:,Utility Account
Time Period:,From 2026-11-01 00:00:00 To 2026-11-24 23:59:59,,
Opening Balance:,"1,000.00",Closing Balance:,"12,345.50"

"""
_COLUMNS = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,"
    "Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)
_ROWS = (
    "UKO7RT61SV,2026-11-24 10:15:30,2026-11-24 10:15:28,Pay Bill from 254712345678 - JANE DOE Acc. DUKA-7K2P9M,"
    'Completed,"1,500.00",,"13,845.50",true,Pay Bill,254712345678 - JANE DOE,,DUKA-7K2P9M',
    "UKO7RT61SV,2026-11-24 10:15:30,2026-11-24 10:15:28,Pay Bill Charge,"
    "Completed,,-20.50,13825.00,true,Pay Bill Charge,,,",
    "UKO7RT61SX,2026-11-24 11:15:30,2026-11-24 11:15:28,Business Payment to Customer to 254712345678 - JANE DOE,"
    "Completed,,1000.00,12825.00,true,Business Payment to Customer via API,254712345678 - JANE DOE,,",
)


def statement(*, wide: bool = False, wrong: tuple[str, str] = ("", "")) -> bytes:
    """A statement as the portal exports it, of which the rows stand in lines 7 to 9; `wrong` changes something once."""
    rows = [f"Till Name,{_COLUMNS},Fee" if wide else _COLUMNS]
    rows += [f"x,{row},?" if wide else row for row in _ROWS]
    text = _HEAD + "\n".join(rows) + "\n"
    return (text.replace(*wrong, 1) if wrong[0] else text).encode()
