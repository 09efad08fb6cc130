"""mpesakit, by the attributes of its MpesaClient; `generate_security_credential` and its enums by their names."""

from typing import Any

from mpesakit import MpesaClient
from mpesakit.b2c import B2CCommandIDType
from mpesakit.business_buy_goods import BusinessBuyGoodsResultCallback
from mpesakit.business_paybill import BusinessPayBillResultCallback
from mpesakit.c2b import C2BValidationRequest
from mpesakit.errors import MpesaApiException
from mpesakit.security import generate_security_credential
from talk import serve

NAMES = (
    B2CCommandIDType,
    BusinessBuyGoodsResultCallback,
    BusinessPayBillResultCallback,
    C2BValidationRequest,
    generate_security_credential,
)
READ = ("amount", "mpesa_receipt_number", "phone_number", "transaction_date", "balance")


def made(settings: dict[str, Any]) -> dict[str, Any]:
    client = MpesaClient(settings["consumer_key"], settings["consumer_secret"], environment="sandbox")
    return {"client": client, "stranger": MpesaClient("nobody", "knows"), **{one.__name__: one for one in NAMES}}


def shown(answer: Any) -> Any:
    if not hasattr(answer, "model_dump"):
        return answer
    successful = getattr(answer, "is_successful", None)
    read = {name: getattr(answer, name) for name in READ if hasattr(type(answer), name)}
    return {**answer.model_dump(), **read, "is_successful": successful() if callable(successful) else successful}


def told(error: Exception) -> Any:
    return error.error.raw_response if isinstance(error, MpesaApiException) else None


serve(made, shown, told)
