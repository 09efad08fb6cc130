"""Bodies as M-Pesa writes them, from the portal's samples and sandbox captures; and configurations beside them."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from ports.callback import Door, Incoming, ReplyTo
from tests.fakes.context import MORNING

PAYOUT = "7a1e6c1e-9d0b-4b58-9d3e-1f2a3b4c5d6e"
CHECKOUT = "ws_CO_24112026103000152708374149"
RECEIPT = "NLJ7RT61SV"
PHONE = "+254708374149"
REPLY_TO = ReplyTo(url="https://gw.example/cb/k7/0123456789abcdef0123456789abcdef")

PUSH_OK = {
    "MerchantRequestID": "2654-4b64-97ff-b827b542881d3130",
    "CheckoutRequestID": CHECKOUT,
    "ResponseCode": "0",
    "ResponseDescription": "Success. Request accepted for processing",
    "CustomerMessage": "Success. Request accepted for processing",
}
B2C_OK = {
    "ConversationID": "AG_20240706_20106e9209f64bebd05b",
    "OriginatorConversationID": PAYOUT,
    "ResponseCode": "0",
    "ResponseDescription": "Accept the service request successfully.",
}
TOKEN_OK = {"access_token": "c9SQxWWhmdVRlyh0zh8gZDTkubVF", "expires_in": "3599"}
PENDING_500 = {
    "requestId": CHECKOUT,
    "errorCode": "500.001.1001",
    "errorMessage": "The transaction is being processed",
}
INCAPSULA = (
    b'<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><body>Request unsuccessful. '
    b"Incapsula incident ID: 1234000120345678901-45678901234567890</body></html>"
)
SOAP = {
    "Envelope": {
        "encodingStyle": "http://schemas.xmlsoap.org/soap/encoding/",
        "Body": {"Fault": {"faultcode": "soap:Server", "faultstring": "Execution of ServiceCallout Call-Out failed."}},
    }
}


def error(code: str, text: str) -> dict[str, object]:
    """Daraja's ordinary error body."""
    return {"requestId": "1c5b-4ba8-815c-ac45c57a3db0", "errorCode": code, "errorMessage": text}


def apigee(code: str, text: str) -> dict[str, object]:
    """The gateway's own error body."""
    return {"fault": {"faultstring": text, "detail": {"errorcode": code}}}


def query_answer(result_code: object, text: str = "No response from user.") -> dict[str, object]:
    """A push query that found something."""
    return {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successfully",
        "MerchantRequestID": "f1e2-4b95-a71d-b30d3cdbb7a7942864",
        "CheckoutRequestID": CHECKOUT,
        "ResultCode": result_code,
        "ResultDesc": text,
    }


def items(**changed: object) -> list[dict[str, object]]:
    """The metadata of a successful push; `Balance` comes without a value."""
    values: dict[str, object] = {
        "Amount": 10.00,
        "MpesaReceiptNumber": RECEIPT,
        "Balance": None,
        "TransactionDate": 20191219102115,
        "PhoneNumber": 254708374149,
    } | changed
    return [{"Name": name} if value is None else {"Name": name, "Value": value} for name, value in values.items()]


def push_callback(result_code: object = 0, text: str = "", metadata: object = None) -> dict[str, object]:
    """What is posted at the end of a push; failures come without metadata."""
    callback: dict[str, object] = {
        "MerchantRequestID": "f1e2-4b95-a71d-b30d3cdbb7a7942864",
        "CheckoutRequestID": CHECKOUT,
        "ResultCode": result_code,
        "ResultDesc": text or "The service request is processed successfully.",
    }
    if metadata is not None:
        callback["CallbackMetadata"] = metadata
    return {"Body": {"stkCallback": callback}}


def paid(**changed: object) -> dict[str, object]:
    """A successful push callback."""
    return push_callback(0, metadata={"Item": items(**changed)})


def parameters(**values: object) -> dict[str, object]:
    """Result parameters as a list; None leaves the value out."""
    return {
        "ResultParameter": [
            {"Key": key} if value is None else {"Key": key, "Value": value} for key, value in values.items()
        ]
    }


def result(result_code: object = 0, **changed: object) -> dict[str, object]:
    """A Result envelope around a B2C outcome, without parameters unless given."""
    return {
        "Result": {
            "ResultType": 0,
            "ResultCode": result_code,
            "ResultDesc": "The service request is processed successfully.",
            "OriginatorConversationID": PAYOUT,
            "ConversationID": "AG_20240706_20106e9209f64bebd05b",
            "TransactionID": "SG632NMUAB",
        }
        | changed
    }


def paid_out(**changed: object) -> dict[str, object]:
    """A successful B2C result."""
    values: dict[str, object] = {
        "TransactionAmount": 10,
        "TransactionReceipt": "SG632NMUAB",
        "ReceiverPartyPublicName": "254708374149 - John O'Doe",
        "TransactionCompletedDateTime": "06.07.2024 22:48:52",
        "B2CUtilityAccountAvailableFunds": 8959269.60,
        "B2CWorkingAccountAvailableFunds": 1199371.00,
        "B2CRecipientIsRegisteredCustomer": "Y",
        "B2CChargesPaidAccountAvailableFunds": -1980.00,
    } | changed
    return result(
        0,
        ResultParameters=parameters(**values),
        ReferenceData={
            "ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://internal.example/mpesa/b2cresults/v1/submit"}
        },
    )


def status_answer(word: object = "Completed", **changed: object) -> dict[str, object]:
    """The answer to a Transaction Status question. The outer ids are the question's; DebitPartyName comes twice."""
    values: dict[str, object] = {
        "DebitPartyName": "600992 - Shop",
        "CreditPartyName": "254708374149 - John O'Doe",
        "OriginatorConversationID": PAYOUT,
        "InitiatedTime": 20240706224850,
        "DebitAccountType": "Utility Account",
        "DebitPartyCharges": "Fee For B2C Payment|KES|22.40",
        "TransactionReason": None,
        "ReasonType": "Business Payment to Customer via API",
        "TransactionStatus": word,
        "FinalisedTime": 20240706224852,
        "Amount": 10,
        "ConversationID": "AG_20240706_20106e9209f64bebd05b",
        "ReceiptNo": "SG632NMUAB",
    } | changed
    listed = parameters(**values)["ResultParameter"]
    assert isinstance(listed, list)
    return result(
        0,
        OriginatorConversationID="3213-416199-2",
        ConversationID="AG_20240707_00004b5fd5b8a83bd04c",
        TransactionID="SG70000000",
        ResultParameters={"ResultParameter": [*listed, {"Key": "DebitPartyName", "Value": "254700000000 - Jane"}]},
        ReferenceData={"ReferenceItem": {"Key": "Occasion"}},
    )


def posted(body: object, door: Door = Door.CALL, *, of_question: bool = False) -> Incoming:
    """`body` as it arrives: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Incoming(body=content, door=door, of_question=of_question)


class Certificate:
    """A certificate like M-Pesa's: RSA 2048, long past its date. It can open what was sealed."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apigee-sandbox")])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(7)
            .not_valid_before(MORNING.replace(year=2014))
            .not_valid_after(MORNING.replace(year=2016))
            .sign(self._key, hashes.SHA256())
        )
        self.pem = built.public_bytes(serialization.Encoding.PEM).decode()

    def open(self, credential: object) -> str:
        return self._key.decrypt(b64decode(str(credential)), PKCS1v15()).decode()


@cache
def certificate() -> Certificate:
    """One for all tests: making a key takes a moment."""
    return Certificate()


def rail_values(base_url: str) -> dict[str, object]:
    """A rail's configuration with the portal's public test data."""
    return {
        "consumer_key": "consumer-key-1",
        "consumer_secret": "consumer-secret-1",
        "shortcode": "174379",
        "passkey": "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919",
        "base_url": base_url,
    }


def channel_values(base_url: str) -> dict[str, object]:
    """A channel's configuration with the portal's public test data."""
    return {
        "consumer_key": "consumer-key-2",
        "consumer_secret": "consumer-secret-2",
        "shortcode": "600992",
        "initiator_name": "testapi",
        "initiator_password": "Safaricom999!*!",
        "certificate_pem": certificate().pem,
        "base_url": base_url,
    }
