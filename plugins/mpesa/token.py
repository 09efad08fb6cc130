"""The OAuth token: one for each environment and consumer key, shared by all processes, fetched by one at a time.

The portal says that each new token ends the one before it (FAQ, December 2025), so nobody fetches a token that another
process has just fetched. A token lives 3599 seconds and is dropped 90 seconds early.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode

from plugins.kit.http import Answer, Budget, Http, Limits
from plugins.mpesa import wire
from plugins.mpesa.config import Account
from plugins.mpesa.faults import Meaning, fault_of
from ports.context import Context
from ports.errors import Misconfigured, NotSent, OutcomeUnknown

_LIMITS = Limits(connect_s=5, read_s=8, total_s=10)
_EARLY_S = 90
#: Longer than a fetch can take, so that the lock doesn't open under the one who holds it.
_LOCK_S = 30
_PATIENCE = (0.1, 0.2, 0.3, 0.5, 0.9, 1, 1, 1, 1, 1)


class Tokens:
    """Gives the current token, and another one when a call was told that it isn't valid."""

    def __init__(self, *, account: Account, http: Http, context: Context) -> None:
        self._account = account
        self._http = http
        self._context = context
        owner = hashlib.sha256(f"{account.base_url}\n{account.consumer_key}".encode()).hexdigest()[:32]
        self._key = f"mpesa:token:{context.environment.value}:{owner}"

    def current(self, budget: Budget) -> str:
        """The shared token, or a fresh one. Raises Misconfigured for wrong keys, NotSent for every other trouble."""
        return self._shared_other_than(None) or self._renewed(None, budget)

    def instead_of(self, refused: str, budget: Budget) -> str:
        """A token to try once more with: what others put in its place meanwhile, else a fresh one."""
        return self._shared_other_than(refused) or self._renewed(refused, budget)

    def _shared_other_than(self, refused: str | None) -> str | None:
        known = self._context.shared.get(self._key)
        return known if known and known != refused else None

    def _renewed(self, refused: str | None, budget: Budget) -> str:
        with self._context.shared.only_one(f"{self._key}:lock", life_s=_LOCK_S) as mine:
            if mine:
                # Another may have finished between our look and our lock.
                return self._shared_other_than(refused) or self._fetched(budget)
        for pause in _PATIENCE:
            self._context.wait(pause)
            if known := self._shared_other_than(refused):
                return known
        raise NotSent("token: another process is still fetching it")

    def _fetched(self, budget: Budget) -> str:
        keys = f"{self._account.consumer_key}:{self._account.consumer_secret}".encode()
        try:
            answer = self._http.exchange(
                "token",
                "GET",
                wire.OAUTH_PATH,
                headers={"Authorization": f"Basic {b64encode(keys).decode()}"},
                budget=budget,
                limits=_LIMITS,
            )
        except OutcomeUnknown as silence:
            # Whatever became of the token, the money call has not left.
            raise NotSent(str(silence)) from None
        token, life_s = _read(answer)
        self._context.shared.put(self._key, token, life_s=max(life_s - _EARLY_S, life_s // 2, 1))
        return token


def _read(answer: Answer) -> tuple[str, int]:
    try:
        body = wire.parsed(answer.body)
    except ValueError:
        body = {}
    token = wire.token(body.get("access_token"))
    if answer.status == 200 and token:
        life = wire.code(body.get("expires_in")) or ""
        return token, int(life) if life.isascii() and life.isdigit() and len(life) < 7 else 300
    fault = fault_of(answer)
    if fault.meaning is Meaning.TOO_FAST:
        raise NotSent("token: too fast", retry_after_s=fault.retry_after_s or 30, whole_connection=True)
    if answer.status in (400, 401, 404, 405) or (answer.status == 403 and body):
        # Wrong or foreign keys are answered with 400 and an empty body (probe of August 2026).
        raise Misconfigured(f"token: refused with HTTP {answer.status} {fault.code}".rstrip())
    raise NotSent(f"token: HTTP {answer.status}", retry_after_s=30, whole_connection=answer.status == 403)
