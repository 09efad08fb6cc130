"""The catalogue of errors as a page for `docs/`, made from the table of codes: `make docs` writes it."""

from __future__ import annotations

from gateway.adapters.web.error_codes import CODES

_HEAD = """# Errors

Generated from `gateway/adapters/web/error_codes.py` by `make docs`; don't edit. A running gateway serves the same list
at `/docs/errors`, and each problem's `type` and `doc_url` point to its code there.

Every error is `application/problem+json` (RFC 9457), 404, 405, 413, 415, 429 and 500 included:

| member | what it is |
| --- | --- |
| `code` | a word that never changes its meaning: decide by this |
| `status` | the HTTP status once more |
| `title` | the code in words, always the same |
| `detail` | a sentence for people, about this occasion; it may change |
| `param` | the field that is wrong, as a JSON pointer, or null |
| `errors` | every wrong field: `param`, `code`, `detail` |
| `retryable` | whether the same call, with the same Idempotency-Key, may succeed later |
| `request_id` | quote it when you ask us; every answer has it as `Request-Id` too |
| `type`, `doc_url` | where the code is explained |
| `instance` | this occasion, as a URN |

Some have more: `illegal_transition` and `payout_not_cancelable` bring `state` and `allowed`, `event_type_unknown`
brings `known`. A declined payment is no error: it is a payment with `last_error`. How to react to each kind is a table
in the [API guide](api-guide.md#errors).
"""

#: Status → (what such an error says, its codes). Every code has one status.
SECTIONS: dict[int, tuple[str, tuple[str, ...]]] = {
    400: (
        "The request is wrong in itself. Sent again it fails again; correct it first.",
        (
            "invalid_request",
            "invalid_json",
            "invalid_characters",
            "parameter_missing",
            "parameter_unknown",
            "parameter_invalid",
            "parameter_repeated",
            "metadata_too_many_keys",
            "metadata_invalid",
            "amount_invalid",
            "phone_required",
            "amount_too_small",
            "amount_too_large",
            "amount_not_aligned",
            "currency_not_supported",
            "expires_in_invalid",
            "phone_invalid",
            "url_invalid",
            "id_invalid",
            "event_type_unknown",
            "replay_span_invalid",
            "link_amount_invalid",
            "destination_invalid",
            "refund_exceeds_remaining",
            "destination_required",
            "destination_not_allowed",
            "nothing_overpaid",
            "bearer_invalid",
            "business_required",
            "address_list_invalid",
            "scope_unknown",
            "shop_tag_invalid",
            "settlement_invalid",
            "card_data_refused",
            "idempotency_key_required",
            "idempotency_key_invalid",
            "bad_request",
        ),
    ),
    401: ("We don't know who calls.", ("invalid_api_key",)),
    403: (
        "We know who calls, and the answer is no.",
        (
            "forbidden",
            "missing_scope",
            "publishable_key_not_allowed",
            "address_not_allowed",
            "address_not_held",
            "platform_key_required",
            "scope_not_held",
            "capability_closed",
        ),
    ),
    404: (
        "Nothing there. Another business's object, and an object of the other mode, are the same as none.",
        ("not_found", "route_not_found"),
    ),
    405: ("The path exists, the method doesn't.", ("method_not_allowed",)),
    409: (
        "The object's state doesn't allow it now. Read the object, or wait as long as `Retry-After` says.",
        (
            "conflict",
            "reference_taken",
            "stale_version",
            "illegal_transition",
            "attempt_outcome_unknown",
            "payment_expired",
            "payout_not_cancelable",
            "payout_not_retryable",
            "payout_outcome_unknown",
            "refund_not_cancelable",
            "business_owes",
            "quote_expired",
            "receipt_assigned",
            "receipt_reversed",
            "key_ended",
            "shop_tag_taken",
            "endpoint_disabled",
            "replay_running",
            "idempotency_in_progress",
            "ledger_key_conflict",
        ),
    ),
    413: ("Too much at once.", ("body_too_large",)),
    415: ("Not JSON, by its own word.", ("content_type_not_supported",)),
    422: (
        "The request is well-formed, and can't be done.",
        (
            "refund_not_supported",
            "quote_mismatch",
            "unprocessable",
            "insufficient_funds",
            "method_not_available",
            "destination_not_available",
            "idempotency_mismatch",
        ),
    ),
    429: ("Too often. `Retry-After` says when again.", ("rate_limited", "phone_rate_limited")),
    500: (
        "Our fault. Nothing is ever half done, but it may be done: repeat the call with the same Idempotency-Key.",
        ("internal_error", "ledger_refused"),
    ),
    503: (
        "Not at this moment. The same call may succeed after `Retry-After`.",
        ("busy", "rail_unavailable", "temporarily_paused", "unavailable"),
    ),
}


def errors_page() -> str:
    """`docs/errors.md`: one heading a code, so that `errors.md#code` leads to it. KeyError: a code has no text."""
    return _HEAD + "".join(_section(status, *about) for status, about in SECTIONS.items())


def _section(status: int, says: str, codes: tuple[str, ...]) -> str:
    return f"\n## {status}\n\n{says}\n" + "".join(_entry(code, *CODES[code]) for code in codes)


def _entry(code: str, title: str, advice: str) -> str:
    return f"\n### `{code}`\n\n{title}. {advice}\n"
