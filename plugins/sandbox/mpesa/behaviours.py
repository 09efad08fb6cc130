"""What can happen to a call: the catalogue of scripted days, good and bad, each with its magic ending.

A behaviour says how the call is answered, what the payer or M-Pesa does, how the news is posted, and what look-ups say.
Magic numbers are 2547 0000 NNNN; the same NNNN after 20 as an amount (KES 20NNNN) does the same for any number.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

# How a call may be answered other than plainly. Without `effect` the call is turned away before it did anything.
ANSWERS = (
    "normal", "cut", "html_403", "html_503", "empty_400", "spike_arrest", "quota", "busy", "maintenance", "refused",
    "expired_token", "locked", "duplicate_id", "not_authorised", "soap", "apigee",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One scripted day.

    Times are seconds of the simulator's clock, except `delay_s`, which is real. A time below zero stands for the
    setting of that kind (`late_s`, `pending_s`, `slow_s`, `status_blind_s`), an amount below zero for a shilling more.
    """

    answer: str = "normal"
    effect: bool = True
    delay_s: float = 0  # Before the answer, after the effect.
    code: str | None = None  # The result; None leaves it to the person at the phone, or to the balances.
    answer_s: float | None = None  # When a scripted payer answers; None is the setting's word.
    settle_s: float | None = None  # From there to the result; None is the setting's word.
    late_s: float | None = None  # A success this long after the request, when the prompt is long over.
    first_code: str | None = None  # With late_s: what was reported before.
    callback_s: float = 0  # How much later than the result the news is posted.
    copies: int = 1  # How often it is posted; 0 is never.
    before_ack: bool = False  # Decide and post before the call is answered.
    callback_code: str | None = None  # What the push callback claims instead of the truth.
    callback_amount: int | None = None  # The amount it claims.
    confirm_copies: int | None = None  # How often C2B confirms it; None is `copies` by hand, once for a push.
    confirm_s: float = 0  # How much later than the money it is confirmed.
    overtaken: bool = False  # C2B confirms it after the next payment.
    query: str = "truth"  # or "4999", "500" (both while it lasts), "unknown", "blocked", or a code that it claims.
    shape: str | None = None  # The shape of a failed B2C result.
    queue_timeout: str | None = None  # B2C: "paid" or "unpaid", after QueueTimeOutURL was told.
    waiting_first: bool = False  # B2C: a result of type 1 (more will follow) goes ahead.
    status_blind_s: float = 0  # Transaction Status does not find it for this long.


PLAIN = Behaviour()


class BadBehaviour(ValueError):
    """No such behaviour, or a field of one has the wrong type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """A named behaviour with its magic ending and one line for people. `where` is push, b2c or both."""

    name: str
    ending: str
    group: str
    says: str
    does: Behaviour
    where: tuple[str, ...] = ("push", "b2c")


def _script(ending: str, name: str, group: str, says: str, *where: str, **does: Any) -> Scripted:
    return Scripted(
        name=name, ending=ending, group=group, says=says, does=Behaviour(**does), where=where or ("push", "b2c")
    )


RESULT, NEWS, CALL, LOOK_UP = "Results", "Callbacks", "The call itself", "Look-ups"

CATALOGUE = (
    _script("0000", "success", RESULT, "Pays, or is paid, by itself", code="0"),
    _script("0001", "insufficient_funds", RESULT, "1: too little money", code="1"),
    _script("0004", "over_daily_limit", RESULT, "4: over the daily limit", code="4"),
    _script("0008", "over_balance_limit", RESULT, "8: the receiver would hold too much", code="8"),
    _script("0017", "rule_limited", RESULT, "17: rule limited (push), internal failure (B2C)", code="17"),
    _script("0026", "traffic_blocked", RESULT, "26: system busy, as a result", code="26"),
    _script("1001", "subscriber_locked", RESULT, "1001: another session is open, as a result", "push", code="1001"),
    _script("1019", "expired", RESULT, "1019: the transaction expired", "push", code="1019"),
    _script("1025", "push_not_sent", RESULT, "1025: the prompt could not be sent", "push", code="1025"),
    _script("1031", "pin_too_late", RESULT, "1031: the PIN came too late", "push", code="1031"),
    _script("1032", "cancel", RESULT, "1032: the customer cancels", "push", code="1032"),
    _script("1036", "smsc_timeout", RESULT, "1036: the network did not answer", "push", code="1036"),
    _script("1037", "no_answer", RESULT, "1037: nobody answers the prompt", "push", code="1037"),
    _script("2001", "wrong_pin", RESULT, "2001: wrong PIN (push), wrong initiator (B2C)", code="2001"),
    _script("2028", "not_permitted", RESULT, "2028: the product is not assigned", code="2028"),
    _script("2040", "not_registered", RESULT, "2040: the recipient is not on M-Pesa", "b2c", code="2040"),
    _script("7777", "unheard_of", RESULT, "A result code that no paper lists", code="7777"),
    _script("8006", "credential_locked", RESULT, "8006: the credential is locked", code="8006"),
    _script("9003", "no_such_party", RESULT, "SFC_IC0003: no such party", code="SFC_IC0003"),
    _script("9999", "push_error", RESULT, "9999: error while sending the prompt", "push", code="9999"),
    _script("3001", "lost_callback", NEWS, "Succeeds, and nobody is told", "push", "b2c", "c2b", code="0", copies=0,
            confirm_copies=0),
    _script("3002", "duplicate_callback", NEWS, "Succeeds, and says so three times", "push", "b2c", "c2b", code="0",
            copies=3, confirm_copies=3),
    _script("3003", "callback_first", NEWS, "The news comes before the acknowledgement", code="0", before_ack=True),
    _script("3004", "late_success", NEWS, "Silence, then success minutes after the prompt", code="0", late_s=-1),
    _script("3005", "late_after_failure", NEWS, "1037 first, success minutes later", "push", code="0", late_s=-1,
            first_code="1037"),
    _script("3006", "other_amount", NEWS, "The callback names one shilling more", "push", code="0", callback_amount=-1),
    _script("3007", "callback_lies", NEWS, "Paid, but the callback says cancelled", "push", code="0",
            callback_code="1032"),
    _script("3008", "queue_timeout_paid", NEWS, "Queue time-out told, and paid all the same", "b2c", code="0", copies=0,
            queue_timeout="paid"),
    _script("3009", "queue_timeout_unpaid", NEWS, "Queue time-out told, and never paid", "b2c",
            queue_timeout="unpaid"),
    _script("3010", "waiting_first", NEWS, "A result of type 1 goes ahead of the real one", "b2c", code="0",
            waiting_first=True),
    _script("3011", "lost_failure", NEWS, "Fails (1), and nobody is told", code="1", copies=0),
    _script("3012", "late_confirmation", NEWS, "Paid, and C2B confirms it minutes later", "push", "c2b", code="0",
            confirm_s=-1),
    _script("3013", "overtaken", NEWS, "Paid, and C2B confirms it after the next payment", "push", "c2b", code="0",
            overtaken=True),
    _script("3014", "only_confirmed", NEWS, "Paid; the callback is lost, C2B confirms it", "push", code="0", copies=0),
    _script("3015", "unconfirmed", NEWS, "Paid and called back; the confirmation is lost", "push", code="0",
            confirm_copies=0),
    _script("4001", "lost_ack", CALL, "Takes effect, then the connection is cut", code="0", answer="cut"),
    _script("4002", "dropped", CALL, "The connection is cut before any effect", answer="cut", effect=False),
    _script("4003", "slow", CALL, "Takes effect, and answers after 30 s", code="0", delay_s=-1),
    _script("4004", "html_403", CALL, "The edge blocks it: 403 and a page", answer="html_403", effect=False),
    _script("4005", "html_503", CALL, "The edge is down: 503 and a page", answer="html_503", effect=False),
    _script("4006", "empty_400", CALL, "400 with an empty body", answer="empty_400", effect=False),
    _script("4007", "spike_arrest", CALL, "500.003.02 spike arrest", answer="spike_arrest", effect=False),
    _script("4008", "busy", CALL, "500.003.02 System is busy; nothing happened", answer="busy", effect=False),
    _script("4009", "busy_accepted", CALL, "500.003.02 System is busy; it happened", code="0", answer="busy"),
    _script("4010", "expired_token", CALL, "Every second call finds its token dead", answer="expired_token",
            effect=False),
    _script("4011", "locked", CALL, "500.001.1001 Unable to lock subscriber", "push", answer="locked", effect=False),
    _script("4012", "duplicate_id", CALL, "Takes effect, answered as a duplicate", "b2c", code="0",
            answer="duplicate_id"),
    _script("4013", "quota", CALL, "500.003.03 quota violation", answer="quota", effect=False),
    _script("4014", "maintenance", CALL, "Under maintenance", answer="maintenance", effect=False),
    _script("4016", "refused", CALL, "HTTP 200 with ResponseCode 1", answer="refused", effect=False),
    _script("4017", "not_authorised", CALL, "403.002.1001: no B2C v3", "b2c", answer="not_authorised", effect=False),
    _script("4018", "soap", CALL, "500 with SOAP's fault written as JSON", answer="soap", effect=False),
    _script("4019", "apigee", CALL, "429 with the API gateway's own fault", answer="apigee", effect=False),
    _script("4999", "pending_4999", LOOK_UP, "Query says 4999 until a slow success", "push", code="0", settle_s=-1,
            query="4999"),
    _script("5001", "pending_500", LOOK_UP, "Query says 500.001.1001 until a slow success", "push", code="0",
            settle_s=-1, query="500"),
    _script("5002", "query_contradicts", LOOK_UP, "Paid, but the query says 1037", "push", code="0", query="1037"),
    _script("5003", "query_unknown", LOOK_UP, "Paid, but the query knows no such id", "push", code="0",
            query="unknown"),
    _script("5004", "query_blocked", LOOK_UP, "Paid, but queries get the edge's 403 page", "push", code="0",
            query="blocked"),
    _script("5005", "status_blind", LOOK_UP, "Paid untold; the status finds nothing at first", "b2c", code="0",
            copies=0, status_blind_s=-1),
)  # fmt: skip

BY_NAME = {script.name: script for script in CATALOGUE}
BY_ENDING = {script.ending: script for script in CATALOGUE}
NUMBER_HEAD = "25470000"
AMOUNT_HEAD = 200_000

_FIELDS = {f.name: f.default for f in fields(Behaviour)}


def named(name: str) -> Behaviour:
    """A behaviour of the catalogue, or the plain one for `normal`. Raises BadBehaviour."""
    if name == "normal":
        return PLAIN
    if name not in BY_NAME:
        raise BadBehaviour(f"no behaviour is called {name!r}")
    return BY_NAME[name].does


def of_number(phone: str, endpoint: str) -> Scripted | None:
    """What a magic number stands for at this endpoint."""
    script = BY_ENDING.get(phone[len(NUMBER_HEAD) :]) if phone.startswith(NUMBER_HEAD) else None
    return script if script and endpoint in script.where else None


def of_amount(amount: int, endpoint: str) -> Scripted | None:
    """What a magic amount stands for; KES 200,000 itself is an ordinary amount."""
    script = BY_ENDING.get(f"{amount - AMOUNT_HEAD:04d}") if 0 < amount - AMOUNT_HEAD < 10_000 else None
    return script if script and endpoint in script.where else None


def changed(behaviour: Behaviour, changes: dict[str, Any]) -> Behaviour:
    """The behaviour with some fields replaced. Raises BadBehaviour."""
    for name, value in changes.items():
        if name not in _FIELDS:
            raise BadBehaviour(f"no behaviour has a field {name!r}")
        if not _fits(name, value):
            raise BadBehaviour(f"{name} cannot be {value!r}")
    if "code" in changes and changes["code"] is not None:
        changes = {**changes, "code": str(changes["code"])}
    return replace(behaviour, **changes)


def _fits(name: str, value: object) -> bool:
    if name == "answer":
        return value in ANSWERS
    if name in ("effect", "before_ack", "waiting_first", "overtaken"):
        return isinstance(value, bool)
    if name in ("copies", "callback_amount", "confirm_copies"):
        return (isinstance(value, int) and not isinstance(value, bool)) or (value is None and name != "copies")
    if name.endswith("_s"):
        return (isinstance(value, int | float) and not isinstance(value, bool)) or (
            value is None and _FIELDS[name] is None
        )
    if name == "code":
        return value is None or isinstance(value, str | int)
    return isinstance(value, str) or (value is None and _FIELDS[name] is None)


def as_document(behaviour: Behaviour) -> dict[str, Any]:
    """Only what differs from the plain behaviour."""
    return {name: value for name, value in asdict(behaviour).items() if value != _FIELDS[name]}
