"""Public ids: a UUID written as a prefix and 26 characters of Crockford base 32 (`pay_01J8…`)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {sign: value for value, letter in enumerate(_ALPHABET) for sign in {letter, letter.lower()}}
_LENGTH = 26
_BITS_IN_SIGN = 5
_BITS_IN_UUID = 128
#: Ids are written often: two signs at a time.
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_PAIR_SHIFTS = tuple(range((_LENGTH - 2) * _BITS_IN_SIGN, -1, -2 * _BITS_IN_SIGN))


class Prefix(StrEnum):
    """What stands before the underscore, one for each kind of object that the API shows."""

    PLATFORM = "plt"
    BUSINESS = "biz"
    USER = "usr"
    MEMBER = "mem"
    API_KEY = "key"
    VERIFICATION = "ver"
    LIMIT = "lim"
    CUSTOMER = "cus"
    CHECKOUT_SESSION = "cs"
    PAYMENT_LINK = "pl"
    PAYMENT = "pay"
    ATTEMPT = "att"
    RECEIPT = "rcp"
    REFUND = "re"
    REFUND_ATTEMPT = "rea"
    DISPUTE = "dp"
    QUOTE = "qt"
    BENEFICIARY = "bnf"
    PAYOUT = "po"
    PAYOUT_ATTEMPT = "poa"
    PAYOUT_BATCH = "pob"
    PAYOUT_SCHEDULE = "pos"
    APPROVAL = "apr"
    LEDGER_ACCOUNT = "la"
    JOURNAL_ENTRY = "je"
    BALANCE_TRANSACTION = "txn"
    FEE_SCHEDULE = "fee"
    WALLET = "wal"
    CHAIN_TRANSFER = "ctx"
    CONVERSION = "cnv"
    FLOAT = "flt"
    OWN_TRANSFER = "owt"
    STATEMENT = "st"
    EXTERNAL_RECORD = "ext"
    RECONCILIATION_RUN = "rr"
    BREAK = "brk"
    SUSPENSE_ITEM = "sus"
    CONNECTION = "con"
    EVENT = "evt"
    WEBHOOK_ENDPOINT = "we"
    DELIVERY = "whd"
    WEBHOOK_REPLAY = "whr"
    REQUEST = "req"
    AUDIT_ENTRY = "aud"
    ALERT = "alr"
    REPORT_RUN = "rep"
    CASE = "case"


def encode(prefix: str, uuid: UUID) -> str:
    """Write `uuid` under `prefix`; ids that sort as UUIDs sort the same as text."""
    number = uuid.int
    return prefix + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in _PAIR_SHIFTS])


def decode(prefix: str, text: str) -> UUID:
    """Read an id of the kind `prefix`; either case is accepted.

    Raises ValueError for another prefix, another length, a sign outside the alphabet (I, L, O and U are
    not read as their look-alikes, or two texts would be one id) and a value above 128 bits.
    """
    head, underscore, signs = text.partition("_")
    if head != prefix or not underscore or len(signs) != _LENGTH:
        raise ValueError(f"an id of this kind is {prefix}_ and {_LENGTH} characters")
    number = 0
    for sign in signs:
        if sign not in _VALUES:
            raise ValueError("an id holds digits and letters without I, L, O and U")
        number = number << _BITS_IN_SIGN | _VALUES[sign]
    if number >> _BITS_IN_UUID:
        raise ValueError("an id holds 128 bits")
    return UUID(int=number)
