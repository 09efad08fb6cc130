"""How the simulated Daraja writes: JSON with two decimals where M-Pesa has them, error bodies, pages of its edge."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Money:
    """Cents that go on the wire as a JSON number with two decimals, such as 10.00 or -1980.00."""

    cents: int

    def __str__(self) -> str:
        sign = "-" if self.cents < 0 else ""
        return f"{sign}{abs(self.cents) // 100}.{abs(self.cents) % 100:02d}"


class Raw(str):
    """A number as it stood on the wire, to be written again without its quotes."""

    __slots__ = ()


def render(value: Any) -> str:
    """JSON text with keys in the order given and Money with its decimals kept."""
    if isinstance(value, Money | Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{render(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(render(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. `payload` is what the journal shows of it."""

    status: int
    text: str
    payload: Any
    content_type: str = "application/json"


def answer(payload: Any, status: int = 200) -> Answer:
    """A JSON answer."""
    text = render(payload)
    return Answer(status=status, text=text, payload=json.loads(text))


def error(status: int, code: str, message: str, request_id: str) -> Answer:
    """Daraja's usual error body."""
    return answer({"requestId": request_id, "errorCode": code, "errorMessage": message}, status)


def empty(status: int) -> Answer:
    """An answer with no body, as OAuth gives for foreign keys."""
    return Answer(status=status, text="", payload=None)


def blocked(status: int, incident: str) -> Answer:
    """The page of the web application firewall in front of Daraja."""
    text = (
        '<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW">'
        '<meta name="format-detection" content="telephone=no"></head><body style="margin:0px;height:100%">'
        f"Request unsuccessful. Incapsula incident ID: {incident}</body></html>"
    )
    return Answer(status=status, text=text, payload="<html>…Incapsula…</html>", content_type="text/html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one API words the errors that all of them have."""

    first_field: str  # The field blamed when the content type is missing.
    # What a dead token gets.
    dead_status: int
    dead_code: str
    dead_text: str
    # What an app without the product gets, where it differs from a dead token.
    strange_status: int = 0
    strange_code: str = ""
    method_status: int = 404
    method_code: str = "404.001.04"
    method_text: str = "Invalid Authentication Header"


# Daraja portal, December 2025: each page's own table of errors.
DIALECTS = {
    "push": Dialect(
        first_field="BusinessShortCode",
        dead_status=404,
        dead_code="404.001.03",
        dead_text="Invalid Access Token",
        method_status=405,
        method_code="405.001",
        method_text="Method Not Allowed",
    ),
    "query": Dialect(
        first_field="BusinessShortCode",
        dead_status=400,
        dead_code="400.003.01",
        dead_text="Invalid Access Token",
    ),
    "b2c": Dialect(
        first_field="InitiatorName",
        dead_status=401,
        dead_code="401.002.01",
        dead_text="Error Occurred - Invalid Access Token - ",
        method_status=405,
        method_code="405.001",
        method_text="Method Not Allowed",
    ),
    "status": Dialect(
        first_field="Initiator",
        dead_status=400,
        dead_code="400.003.01",
        dead_text="Invalid Access Token",
    ),
    "balance": Dialect(
        first_field="Initiator",
        dead_status=400,
        dead_code="400.003.01",
        dead_text="Invalid Access Token",
    ),
    "reversal": Dialect(
        first_field="Initiator", dead_status=404, dead_code="404.001.03", dead_text="Invalid Access Token"
    ),
    "b2b": Dialect(
        first_field="Initiator",
        dead_status=401,
        dead_code="401.003.01",
        dead_text="Error Occurred - Invalid Access Token - ",
    ),
    "hakikisha": Dialect(
        first_field="IdentifierType",
        dead_status=401,
        dead_code="401.003.01",
        dead_text="Error Occurred - Invalid Access Token - ",
    ),
    "pull": Dialect(first_field="ShortCode", dead_status=401, dead_code="401.001", dead_text="Invalid Access Token"),
}
_C2B = Dialect(
    first_field="ShortCode",
    dead_status=400,
    dead_code="400.003.01",
    dead_text="Invalid Access Token",
    strange_status=401,
    strange_code="401.003.01",
)
DIALECTS |= {"register": _C2B, "simulate": _C2B, "pull_register": DIALECTS["pull"]}
NOT_FOUND_CODES = {
    "push": "404.001.01",
    "query": "404.001.01",
    "b2c": "404.002.01",
    "status": "404.003.01",
    "balance": "404.003.01",
    "c2b": "404.003.01",
    "reversal": "404.001.01",
    "b2b": "404.002.01",
    "pull": "404.003.01",
}


def soap_fault() -> Answer:
    """SOAP's fault in JSON's clothes, as a registration gets it when something behind Daraja is in trouble."""
    fault = {
        "faultcode": "soap:Server",
        "faultstring": "Execution of ServiceCallout SC-RegisterURL failed. Reason: ResponseCode 500",
        "detail": {"source": {"errorcode": "steps.servicecallout.ExecutionFailed"}},
    }
    return answer({"Envelope": {"Body": {"Fault": fault}}}, 500)


def apigee_fault() -> Answer:
    """The default body of the API gateway's own policies."""
    detail = {"errorcode": "policies.ratelimit.SpikeArrestViolation"}
    text = "Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, periodInMicroseconds=1000000}"
    return answer({"fault": {"faultstring": text, "detail": detail}}, 429)
