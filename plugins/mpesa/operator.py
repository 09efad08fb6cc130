"""The API operator of a shortcode, with his password sealed once: the same order gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from cryptography import x509

from plugins.mpesa.config import OperatorConfig
from plugins.mpesa.credential import seal
from plugins.mpesa.wire import EAT
from ports.abilities import FindingState, SelfFinding

#: An initiator's password lives so long (Daraja portal, December 2025), and people need notice.
PASSWORD_LIFE_DAYS, PASSWORD_NOTICE_DAYS = 90, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who orders and asks in our name."""

    name: str
    credential: str = field(repr=False)

    @classmethod
    def of(cls, config: OperatorConfig) -> Operator:
        """Seal the password. Raises Misconfigured when the certificate can't do it."""
        return cls(name=config.name, credential=seal(config.password, config.certificate_pem))


def ages(config: OperatorConfig | None, now: datetime) -> Iterator[SelfFinding]:
    """What is known of the operator's password and certificate."""
    if config is None:
        yield SelfFinding(
            name="operator",
            state=FindingState.WARNING,
            words="no API operator: receipts can't be asked about, and nothing can be reversed",
        )
        return
    yield _password(config.set_on, now)
    yield _certificate(config.certificate_pem)


def _password(set_on: date | None, now: datetime) -> SelfFinding:
    if set_on is None:
        return SelfFinding(
            name="operator password",
            state=FindingState.WARNING,
            words="its age is not known; set initiator_password_set_on",
        )
    set_at = datetime(set_on.year, set_on.month, set_on.day, tzinfo=EAT).astimezone(UTC)
    due = set_at + timedelta(days=PASSWORD_LIFE_DAYS)
    days = (now - set_at).days
    state = FindingState.OK
    if now >= due - timedelta(days=PASSWORD_NOTICE_DAYS):
        state = FindingState.WARNING
    if now >= due:
        state = FindingState.WRONG
    words = f"{days} days old; Safaricom lets it live {PASSWORD_LIFE_DAYS} days"
    return SelfFinding(name="operator password", state=state, words=words, due=due)


def _certificate(pem: str) -> SelfFinding:
    """Its date is told and never enforced: those in circulation have long passed theirs, and work."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    words = f"{certificate.subject.rfc4514_string()}, dated to {certificate.not_valid_after_utc:%Y-%m-%d}"
    return SelfFinding(name="certificate", state=FindingState.OK, words=words)
