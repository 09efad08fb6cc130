"""What a call to a provider may raise, sorted by what the caller does next."""

from __future__ import annotations

from ports.report import Failure


class PortError(Exception):
    """The root of all that a port raises on purpose. Messages hold nothing secret or personal."""


class Refused(PortError):
    """The provider certainly did not and will not do it. Another try, with a new reference, is allowed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"refused: {failure.kind.value} ({failure.provider_code or 'no code'})")
        self.failure = failure


class NotSent(PortError):
    """It never left, or a gate turned it away before acceptance: the same reference may be sent later.

    `retry_after_s` is the least wait; `whole_connection` asks to slow every call of the connection. A chain's `reason`
    is a word of `ports.chain.CannotSend` where one fits.
    """

    def __init__(self, reason: str, *, retry_after_s: int = 5, whole_connection: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.whole_connection = whole_connection


class OutcomeUnknown(PortError):
    """It may have happened: read time-out, reset, 5xx, HTML, "system busy". Look up; never send again."""


class AlreadyTaken(PortError):
    """The provider has this reference already. As OutcomeUnknown; it is no refusal: booking it as failed pays twice."""

    def __init__(self, reason: str, *, provider_reference: str | None = None) -> None:
        super().__init__(reason)
        self.provider_reference = provider_reference


class Misconfigured(PortError):
    """Credentials, product, certificate or permission are wrong and nothing was sent: pause the connection, alert."""


class BadSignature(PortError):
    """Callbacks and files only: the signature doesn't hold. Store as evidence, change nothing."""


class Unreadable(PortError):
    """Callbacks and files only: the shape is unknown. Store as evidence, change nothing.

    `reply_body` is what the provider is answered all the same, so that it doesn't repeat itself for ever.
    """

    def __init__(self, reason: str, *, reply_body: bytes = b"{}", reply_status: int = 200) -> None:
        super().__init__(reason)
        self.reply_body = reply_body
        self.reply_status = reply_status
