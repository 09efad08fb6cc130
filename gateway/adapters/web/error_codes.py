"""Every error code that the API can answer with: its title, and what to do about it, as /docs/errors shows them."""

from __future__ import annotations

#: code → (title, advice). A title never changes with the occasion; the occasion is told in `detail`.
CODES: dict[str, tuple[str, str]] = {
    # About the request itself.
    "invalid_request": ("The request is invalid", "Correct every field that `errors` names and send it again."),
    "invalid_json": ("The body is not acceptable JSON", "Send one JSON object in UTF-8, without repeated keys."),
    "invalid_characters": ("A text holds characters that can't be kept", "Remove NUL characters and lone surrogates."),
    "parameter_missing": ("A field is missing", "Send the field that `param` names."),
    "parameter_unknown": ("A field is unknown", "Remove the field; a misspelt field is refused, never ignored."),
    "parameter_invalid": ("A field has a wrong type or value", "See `detail` and the field's schema."),
    "parameter_repeated": ("A query parameter came twice", "Send it once."),
    "metadata_too_many_keys": ("Metadata has too many keys", "Keep at most 50 keys."),
    "metadata_invalid": ("Metadata has a wrong shape", "Keys up to 40 characters, values texts up to 500."),
    "amount_invalid": ("The amount is invalid", "Send a positive whole number of minor units: 150000 is KES 1,500.00."),
    "amount_too_small": ("The amount is too small", "Ask for at least what `detail` names."),
    "amount_too_large": ("The amount is too large", "Ask for at most what `detail` names."),
    "amount_not_aligned": ("The amount doesn't fit the rail", "M-Pesa moves whole shillings: a multiple of 100."),
    "currency_not_supported": ("The currency isn't supported", "Use a currency that `detail` names."),
    "expires_in_invalid": ("The life is out of bounds", "Ask for 60 seconds to 30 days."),
    "phone_invalid": ("The phone number is invalid", "Write a Kenyan mobile number: 0712 345 678 or +254712345678."),
    "url_invalid": ("The URL is invalid", "Send an absolute https URL without credentials or fragment."),
    "id_invalid": ("The id has a wrong form", "Send an id of the kind that `detail` names."),
    "event_type_unknown": ("No event has this type", "Use a type of the list, a family such as `payout.*`, or `*`."),
    "content_type_not_supported": ("The content type isn't supported", "Send `Content-Type: application/json`."),
    "body_too_large": ("The body is too large", "Send at most 64 KiB."),
    "bad_request": ("The request could not be read", "Check the request line, the headers and the body's length."),
    "method_not_allowed": ("The method isn't allowed here", "Use a method that the `Allow` header names."),
    # About who calls.
    "invalid_api_key": ("The key is missing or not usable", "Send `Authorization: Bearer sk_…` with an active key."),
    "forbidden": ("The key may not do this", "Use a key that may."),
    "platform_key_not_supported": ("A platform's key can't call this", "Use a key of the business itself."),
    "capability_closed": ("Live mode isn't open for this business", "Ask the operator; test mode is always open."),
    "rate_limited": ("Too many requests", "Wait as long as `Retry-After` says."),
    "phone_rate_limited": ("Too many prompts to this number", "Wait as long as `Retry-After` says."),
    # About idempotency.
    "idempotency_key_required": ("An Idempotency-Key is required", "Send a new random key with every new order."),
    "idempotency_key_invalid": ("The Idempotency-Key is invalid", "Send 1 to 255 printable ASCII characters."),
    "idempotency_in_progress": ("The same call is still running", "Repeat it after `Retry-After`, with the same key."),
    "idempotency_mismatch": ("The key was used for another request", "Use a new key for a new request."),
    # About the object.
    "not_found": ("There is no such object", "Check the id, and that the key is of the same business and mode."),
    "route_not_found": ("There is no such path", "Check the path; /openapi.json lists all."),
    "conflict": ("It collides with something that exists", "See `detail`."),
    "reference_taken": ("Another order has this reference", "Use a reference of its own for each order."),
    "stale_version": ("Something else changed it at the same moment", "Read the object again, then repeat the call."),
    "illegal_transition": ("The object's state doesn't allow it", "See `allowed` for what is possible in `state`."),
    "attempt_outcome_unknown": ("An earlier prompt is undecided", "Wait as long as `Retry-After` says, then repeat."),
    "payment_expired": ("The payment has expired", "Create a new payment."),
    "payout_not_cancelable": ("The payout may have been sent", "Only a queued payout can be canceled; follow it."),
    "payout_not_retryable": ("The payout can't be sent again", "Create a new payout if need be."),
    "payout_outcome_unknown": ("The payout is undecided", "Refresh it; sending again could pay twice."),
    "endpoint_disabled": ("The endpoint is disabled", "Enable it first: PATCH it with `enabled: true`."),
    "replay_running": ("A replay of this endpoint runs", "Wait until it is done."),
    "replay_span_invalid": ("The span can't be replayed", "Give a `since` before `until`, of the last 30 days."),
    "link_amount_invalid": ("The link's amount is not clear", "Send `amount`, or bounds for an open one."),
    "refund_exceeds_remaining": ("More than is left to refund", "Ask for at most what `detail` names."),
    "refund_not_supported": ("Nothing gives this payment back", "Pay the customer with a payout instead."),
    "refund_not_cancelable": ("The refund may have been sent", "Only a pending refund can be canceled; follow it."),
    "destination_required": ("A refund of this payment needs a destination", "Send `destination`."),
    "destination_not_allowed": ("This refund goes back to where it came from", "Leave `destination` out."),
    "nothing_overpaid": ("There is no such excess", "Ask for at most what `detail` names."),
    "business_owes": ("Money is owed after a reversal", "Wait until it is recovered; what comes in goes to it first."),
    "quote_expired": ("The quote has expired", "Ask for a new one."),
    "quote_mismatch": ("The quote is for something else", "Use it for exactly what it was made for."),
    "bearer_invalid": ("The fee can't be borne so", "See `detail`."),
    "destination_invalid": ("The destination is invalid", "Use a destination type that `detail` names."),
    "destination_not_available": ("No channel pays to this destination", "Use a destination that is connected."),
    "method_not_available": ("No rail serves this method", "Use a method that is connected."),
    "unprocessable": ("It can't be done for this object", "See `detail`."),
    "insufficient_funds": (
        "The available balance is too small",
        "Wait until more is available, or ask for less.",
    ),
    "ledger_refused": ("The books refuse the entry", "See `detail`; nothing was changed."),
    "ledger_key_conflict": ("The books hold another entry for this fact", "Tell us the `request_id`."),
    # About us.
    "rail_unavailable": ("This way to pay is paused", "Repeat the call after `Retry-After`."),
    "busy": ("Busy at this moment", "Repeat the call with the same Idempotency-Key; nothing was changed."),
    "unavailable": ("The database can't be reached", "Repeat the call with the same Idempotency-Key, a little later."),
    "internal_error": ("Something broke on our side", "Repeat the call with the same Idempotency-Key."),
}


def title_of(code: str) -> str:
    """The title of a code; an unlisted one is written out."""
    known = CODES.get(code)
    return known[0] if known else code.replace("_", " ").capitalize()
