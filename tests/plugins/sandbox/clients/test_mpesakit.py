"""mpesakit 2.2.0, a typed Python library of 2026: every call that the simulator serves, and its readers of the news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.sandbox.clients import shapes
from tests.plugins.sandbox.clients.line import HERE, Daraja, Library, Raised
from tests.plugins.sandbox.customers import BULK, COUNTERPARTY, PAYBILL, TILL


@pytest.fixture(scope="module")
def mpesakit(python: str, daraja: Daraja) -> Iterator[Library]:
    settings = {name: daraja.keys[name] for name in ("consumer_key", "consumer_secret")}
    library = Library([python, str(HERE / "drivers" / "drive_mpesakit.py")], settings, daraja.environment)
    yield library
    library.close()


def operator(daraja: Daraja, path: str, **more: Any) -> dict[str, Any]:
    """What every order of an API operator has."""
    return {
        "initiator": daraja.keys["initiator_name"],
        "security_credential": daraja.keys["security_credential"],
        "remarks": "settlement",
        "result_url": daraja.at(path),
        "queue_timeout_url": daraja.at(path + "/late"),
        **more,
    }


def sent(mpesakit: Library, daraja: Daraja, path: str, originator: str, **changes: Any) -> Any:
    asked = operator(daraja, path, initiator_name=daraja.keys["initiator_name"], **changes)
    del asked["initiator"]
    return mpesakit(
        "client.b2c.send_payment",
        originator_conversation_id=originator,
        command_id={"$": "B2CCommandIDType.BusinessPayment"},
        amount=1000,
        party_a=BULK,
        party_b=str(daraja.phone()),
        **asked,
    )


def ids(answer: dict[str, Any]) -> tuple[str, str]:
    assert answer["is_successful"]
    return answer["ConversationID"], answer["OriginatorConversationID"]


def test_token(mpesakit: Library, daraja: Daraja) -> None:
    assert len(mpesakit("client.token_manager.get_token")) == 28
    with pytest.raises(Raised) as raised:
        mpesakit("stranger.token_manager.get_token")
    assert "AUTH_INVALID_CREDENTIALS" in raised.value.says
    assert (daraja.last.status, daraja.last.answer) == (400, "")


def test_push_query_and_callback(mpesakit: Library, daraja: Daraja) -> None:
    phone = daraja.phone()
    asked = {"business_short_code": int(PAYBILL), "passkey": daraja.keys["passkey"]}
    accepted = mpesakit(
        "client.stk_push",
        **asked,
        transaction_type="CustomerPayBillOnline",
        amount=120,
        party_a=str(phone),
        party_b=PAYBILL,
        phone_number=f"0{phone - 254 * 10**9}",
        callback_url=daraja.at("/push"),
        account_reference="INV-2041",
        transaction_desc="Order",
    )
    assert accepted["is_successful"]
    with pytest.raises(Raised) as pending:
        mpesakit("client.stk_query", **asked, checkout_request_id=accepted["CheckoutRequestID"])
    assert pending.value.told["errorCode"] == "500.001.1001"
    assert pending.value.told["errorMessage"] == "The transaction is being processed"
    daraja.sandbox.control.decide(str(phone))
    news = daraja.news("/push")
    receipt = shapes.paid(news, accepted["CheckoutRequestID"], 120, phone)
    read = mpesakit("client.process_stk_callback", news)
    assert (read["is_successful"], read["mpesa_receipt_number"], read["amount"]) == (True, receipt, 120)
    told = mpesakit("client.stk_query", **asked, checkout_request_id=accepted["CheckoutRequestID"])
    assert (told["is_successful"], told["ResultCode"]) == (True, "0")


def test_a_cancelled_push_is_read(mpesakit: Library, daraja: Daraja) -> None:
    phone = daraja.phone()
    mpesakit(
        "client.stk_push",
        business_short_code=int(PAYBILL),
        passkey=daraja.keys["passkey"],
        transaction_type="CustomerPayBillOnline",
        amount=120,
        party_a=str(phone),
        party_b=PAYBILL,
        phone_number=str(phone),
        callback_url=daraja.at("/cancelled"),
        account_reference="INV-2042",
        transaction_desc="Order",
    )
    daraja.sandbox.control.decide(str(phone), "cancel")
    read = mpesakit("client.process_stk_callback", daraja.news("/cancelled"))
    assert (read["is_successful"], read["mpesa_receipt_number"]) == (False, None)
    assert read["Body"]["stkCallback"]["ResultCode"] == 1032


def test_c2b_is_registered_validated_and_confirmed(mpesakit: Library, daraja: Daraja) -> None:
    answer = mpesakit(
        "client.c2b.register_url",
        short_code=int(PAYBILL),
        response_type="Completed",
        confirmation_url=daraja.at("/c2b/confirm"),
        validation_url=daraja.at("/c2b/validate"),
    )
    assert answer["is_successful"]
    # The library mends Safaricom's spelling; on the wire it is as published.
    assert set(daraja.last.answer) == {"OriginatorCoversationID", "ResponseCode", "ResponseDescription"}
    phone = daraja.phone()
    daraja.sandbox.control.post("validation", shortcode=PAYBILL, on=True)
    daraja.sandbox.control.pay(str(phone), 75, shortcode=PAYBILL, account="INV-7")
    confirmation = daraja.news("/c2b/confirm")
    receipt = shapes.confirmed(confirmation, 75, "INV-7", phone)
    (asked,) = daraja.inbox.at("/c2b/validate")
    assert mpesakit("C2BValidationRequest.model_validate", asked)["TransID"] == receipt
    assert mpesakit("C2BValidationRequest.model_validate", confirmation)["TransAmount"] == 75


def test_b2c(mpesakit: Library, daraja: Daraja) -> None:
    answer = sent(mpesakit, daraja, "/b2c", "kit-1")
    assert answer["OriginatorConversationID"] == "kit-1"
    news = daraja.news("/b2c")
    told = shapes.done(news, *ids(answer), shapes.B2C)
    assert told["TransactionAmount"] == 1000
    with pytest.raises(Raised) as raised:
        sent(mpesakit, daraja, "/b2c", "kit-1")
    assert raised.value.told["errorCode"] == "500.002.1001"
    # The library wants the list one level higher than M-Pesa puts it.
    with pytest.raises(Raised, match="ResultParameters") as unread:
        mpesakit("client.process_b2c_callback", news)
    assert unread.value.kind == "ValidationError"


def test_the_librarys_own_credential_has_the_time_in_it_and_opens_nothing(mpesakit: Library, daraja: Daraja) -> None:
    credential = mpesakit(
        "generate_security_credential",
        daraja.keys["initiator_password"],
        cert_path=daraja.keys["certificate_file"],
    )
    sent(mpesakit, daraja, "/b2c/own", "kit-2", security_credential=credential)
    shapes.failed(daraja.news("/b2c/own"), "2001")


def test_b2b_to_a_paybill(mpesakit: Library, daraja: Daraja) -> None:
    answer = mpesakit(
        "client.b2b.paybill",
        **operator(daraja, "/b2b"),
        amount=239,
        party_a=int(BULK),
        party_b=int(COUNTERPARTY),
        account_reference="353353",
        requester="254708374149",
    )
    news = daraja.news("/b2b")
    told = shapes.done(news, *ids(answer), shapes.B2B)
    assert (told["Amount"], told["Currency"]) == ("239.00", "KES")
    assert mpesakit("BusinessPayBillResultCallback.model_validate", news)["is_successful"]


def to_a_till(mpesakit: Library, daraja: Daraja, path: str, **changes: Any) -> dict[str, Any]:
    answer = mpesakit(
        "client.b2b.buygoods",
        **operator(daraja, path),
        amount=50,
        party_a=int(BULK),
        party_b=int(TILL),
        account_reference="till",
        requester="254708374149",
        **changes,
    )
    assert answer["is_successful"]
    return daraja.news(path)


def test_b2b_to_a_till(mpesakit: Library, daraja: Daraja) -> None:
    news = to_a_till(mpesakit, daraja, "/till", RecieverIdentifierType=2)
    assert mpesakit("BusinessBuyGoodsResultCallback.model_validate", news)["is_successful"]


def test_b2b_to_a_till_by_the_librarys_own_type_fails_and_is_read_as_the_portal_shows_it(
    mpesakit: Library, daraja: Daraja
) -> None:
    """The library's receiver type, 4, is the portal's; in the field a till is paid as 2."""
    daraja.sandbox.control.settings(failure_shape="object")
    papers = to_a_till(mpesakit, daraja, "/till/papers")
    assert daraja.last.body["RecieverIdentifierType"] == 4
    shapes.failed(papers, "SFC_IC0003")
    assert not mpesakit("BusinessBuyGoodsResultCallback.model_validate", papers)["is_successful"]
    daraja.sandbox.control.settings(failure_shape="absent")
    live = to_a_till(mpesakit, daraja, "/till/live")
    shapes.failed(live, "SFC_IC0003")
    # Live failures have an occasion without a value, which the library does not take.
    with pytest.raises(Raised, match="Value"):
        mpesakit("BusinessBuyGoodsResultCallback.model_validate", live)


def test_b2c_account_top_up(mpesakit: Library, daraja: Daraja) -> None:
    answer = mpesakit(
        "client.b2c.account_topup",
        **operator(daraja, "/top-up"),
        amount=400,
        party_a=BULK,
        party_b=COUNTERPARTY,
        account_reference="float",
        requester="254708374149",
    )
    shapes.done(daraja.news("/top-up"), *ids(answer), shapes.B2B)
    assert daraja.last.body["CommandID"] == "BusinessPayToBulk"


@pytest.mark.parametrize("by", ["receipt", "conversation"])
def test_transaction_status(mpesakit: Library, daraja: Daraja, by: str) -> None:
    sent(mpesakit, daraja, f"/paid/{by}", f"kit-{by}")
    receipt = daraja.news(f"/paid/{by}")["Result"]["TransactionID"]
    asked = {"original_conversation_id": f"kit-{by}"} if by == "conversation" else {}
    answer = mpesakit(
        "client.transactions.query_status",
        **operator(daraja, f"/status/{by}"),
        transaction_id=receipt,
        party_a=int(BULK),
        identifier_type=4,
        **asked,
    )
    news = daraja.news(f"/status/{by}")
    told = shapes.answered(news, *ids(answer), shapes.STATUS)
    assert (told["ReceiptNo"], told["TransactionStatus"], told["Amount"]) == (receipt, "Completed", "1000")
    with pytest.raises(Raised, match="ResultParameters"):
        mpesakit("client.process_transactions_callback", news)


def test_account_balance(mpesakit: Library, daraja: Daraja) -> None:
    answer = mpesakit(
        "client.balance.query",
        **operator(daraja, "/balance"),
        command_id="AccountBalance",
        party_a=int(BULK),
        identifier_type=4,
    )
    news = daraja.news("/balance")
    told = shapes.answered(news, *ids(answer), shapes.BALANCE)
    assert told["AccountBalance"].startswith("Working Account|KES|")
    read = mpesakit("client.process_account_balance_callback", news)
    # The library looks under other names than M-Pesa writes, and finds no balance.
    assert (read["Result"]["ResultCode"], read["Result"]["ResultParameter"]) == (0, None)


def test_reversal(mpesakit: Library, daraja: Daraja) -> None:
    receipt = daraja.sandbox.control.pay(str(daraja.phone()), 80, shortcode=PAYBILL, account="INV-8")["receipt"]
    answer = mpesakit(
        "client.reversal.reverse",
        **operator(daraja, "/reversal"),
        transaction_id=receipt,
        amount=80,
        receiver_party=int(PAYBILL),
    )
    news = daraja.news("/reversal")
    told = shapes.done(news, *ids(answer), shapes.REVERSAL)
    assert (told["OriginalTransactionID"], told["Amount"]) == (receipt, 80)
    # The library takes texts alone, and M-Pesa posts numbers.
    with pytest.raises(Raised, match="ResultCode"):
        mpesakit("client.process_reversal_callback", news)
    assert mpesakit("client.process_reversal_callback", texts(news))["is_successful"]


def test_what_the_simulator_does_not_serve_is_no_such_resource(mpesakit: Library, daraja: Daraja) -> None:
    tax = operator(daraja, "/tax", amount=10, party_a=int(BULK), account_reference="PRN1")
    code = {"merchant_name": "Duka", "ref_no": "1", "amount": 10, "trx_code": "PB", "cpi": PAYBILL, "size": "300"}
    for call, asked in (("client.tax.remittance", tax), ("client.dynamic_qr.generate", code)):
        with pytest.raises(Raised) as raised:
            mpesakit(call, **asked)
        assert (daraja.last.status, raised.value.told["errorMessage"]) == (404, "Resource not found")


def texts(value: Any) -> Any:
    """The same with every number as text, but for `ResultType`."""
    if isinstance(value, dict):
        return {name: one if name == "ResultType" else texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [texts(one) for one in value]
    return str(value) if isinstance(value, int | float) else value
