"""M-Pesa's result codes with the texts it sends, as data.

Sources: Daraja portal, December 2025 (push and B2C pages); sandbox captures of September and October 2026. The texts of
one code differ between the callback and the query, and nothing should be decided by them.
"""

SUCCESS = "The service request is processed successfully."

PUSH = {
    "0": SUCCESS,
    "1": "The balance is insufficient for the transaction.",
    "2": "Declined due to limit rule: less than the minimum transaction amount.",
    "3": "Declined due to limit rule: greater than the maximum transaction amount.",
    "4": "Declined due to limit rule: would exceed daily transfer limit.",
    "8": "Declined due to limit rule: would exceed the maximum balance.",
    "17": "Rule limited.",
    "26": "System busy. The service request is rejected.",
    "1001": "Unable to lock subscriber, a transaction is already in process for the current subscriber.",
    "1019": "Transaction has expired.",
    "1025": "An error occurred while sending a push request.",
    "1031": "Request timed out.",
    "1032": "Request cancelled by user.",
    "1036": "SMSC ACK timeout.",
    "1037": "No response from user.",
    "2001": "The initiator information is invalid.",
    "2028": "The request is not permitted according to product assignment.",
    "8006": "The security credential is locked.",
    "9999": "An error occurred while sending a push request.",
    "SFC_IC0003": "The operator does not exist.",
    "E3008": "The user has a bad debt contract.",
}
# What the query says where it was seen to differ from the callback.
PUSH_QUERY = {"1032": "Request Cancelled by user.", "1037": "DS timeout user cannot be reached."}
PENDING_QUERY = ("4999", "The transaction is still under processing")

# A push that ends with one of these never showed a prompt.
NO_PROMPT = frozenset({"26", "1001", "1025", "2028", "9999", "SFC_IC0003", "E3008"})
# These are silence: they come when the prompt's life is over.
SILENCE = frozenset({"1019", "1031", "1036", "1037"})

B2C = {
    "0": SUCCESS,
    "1": "The balance is insufficient for the transaction.",
    "2": "Declined due to limit rule: less than the minimum transaction amount.",
    "3": "Declined due to limit rule: greater than the maximum transaction amount.",
    "4": "Declined due to limit rule: would exceed daily transfer limit.",
    "8": "Declined due to limit rule: would exceed the maximum balance.",
    "11": "The DebitParty is in an invalid state.",
    "15": "Duplicate Detected.",
    "17": "Internal Failure.",
    "18": "Initiator Credential Check Failure.",
    "20": "Unresolved Initiator.",
    "21": "The initiator is not allowed to initiate this request.",
    "22": "Initiator to Receiver Party Permission Failure.",
    "24": "Missing mandatory fields.",
    "25": "Invalid Request Parameters.",
    "26": "Traffic blocking condition in place.",
    "29": "Invalid Command.",
    "2001": "The initiator information is invalid.",
    "2006": "Declined due to account rule.",
    "2028": "The request is not permitted according to product assignment.",
    "2040": "Credit Party customer type can't be supported by the service.",
    "8006": "The security credential is locked.",
    "100000000": "Request was cached, waiting for resending.",
    "100000001": "The system is overload.",
    "100000002": "Throttling error.",
    "100000011": "Exceed the limitation of request rate.",
    "R000001": "The transaction has already been reversed.",
    "R000002": "The OriginalTransactionID is invalid.",
    "SFC_IC0003": "The operator does not exist.",
}
# Refused before a transaction existed, so that Transaction Status finds none.
NO_TRANSACTION = frozenset({"11", "15", "17", "18", "20", "21", "22", "24", "25", "26", "29"}) | frozenset(
    {"2001", "2006", "2028", "8006", "100000000", "100000001", "100000002", "100000011"}
)

MALFORMED = ("25", "Invalid Request Parameters.")
NOT_FOUND = ("2032", "The transaction receipt number does not exist.")


def number(code: str) -> int | str:
    """A result code as callbacks carry it: a JSON number where it is one."""
    return int(code) if code.isdigit() else code


def push_text(code: str, *, in_query: bool = False) -> str:
    """The text for a push code; an unknown code has one too."""
    if in_query and code in PUSH_QUERY:
        return PUSH_QUERY[code]
    return PUSH.get(code, "The service request could not be completed.")


def b2c_text(code: str) -> str:
    """The text for a B2C code; an unknown code has one too."""
    return B2C.get(code, "The service request could not be completed.")
