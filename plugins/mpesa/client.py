"""Calls to Daraja: the bearer token on each, and one more try when, and only when, a token was certainly refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from plugins.kit.http import Answer, Budget, Http, Limits
from plugins.mpesa import wire
from plugins.mpesa.config import Account
from plugins.mpesa.faults import Meaning, fault_of
from plugins.mpesa.token import Tokens
from ports.context import Context
from ports.errors import Misconfigured, NotSent

#: The longest that one port call takes, with tokens and a second try.
CALL_TIMEOUT_S = 60

_LIMITS = Limits(connect_s=5, read_s=30, total_s=35, least_s=10)

#: Bytes of an answer that lists a busy shop's two days: tens of thousands of rows of some 250 bytes.
LIST_MAX = 16 * 1024 * 1024
LIST_LIMITS = replace(_LIMITS, body_max=LIST_MAX)


class Daraja:
    """One app's line to Daraja."""

    def __init__(self, *, account: Account, context: Context) -> None:
        self._http = Http(base_url=account.base_url, user_agent=context.user_agent, log=context.log)
        self._tokens = Tokens(account=account, http=self._http, context=context)
        self._log = context.log

    def call(self, name: str, path: str, body: Mapping[str, object], limits: Limits = _LIMITS) -> Answer:
        """Send `body` and give the answer, of any status but a refused token.

        A refused token was looked at before the call was, so that the second try can't be a second payment. Nothing
        else is ever sent twice. Raises NotSent, OutcomeUnknown, and Misconfigured when a second token is refused too.
        """
        budget = Budget(CALL_TIMEOUT_S)
        content = wire.written(body)
        token = self._tokens.current(budget)
        answer = self._send(name, path, content, token, budget, limits)
        if fault_of(answer).meaning is not Meaning.UNAUTHORISED:
            return answer
        self._log.warning("provider_token_refused", call=name, status=answer.status)
        token = self._tokens.instead_of(token, budget)
        answer = self._send(name, path, content, token, budget, limits)
        fault = fault_of(answer)
        if fault.meaning is Meaning.UNAUTHORISED:
            if not fault.lacks_product and not self._tokens.is_shared(token):
                # Without shared memory processes end one another's tokens: that is no fault of the credentials.
                raise NotSent(f"{name}: another process took a newer token", retry_after_s=2)
            why = "the app lacks this API product" if fault.lacks_product else "a fresh token was refused"
            raise Misconfigured(f"{name}: {why} ({fault.code or fault.status})")
        return answer

    def _send(self, name: str, path: str, content: bytes, token: str, budget: Budget, limits: Limits) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self._http.exchange(name, "POST", path, headers=headers, body=content, budget=budget, limits=limits)
