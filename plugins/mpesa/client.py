"""Calls to Daraja: the bearer token on each, and one more try when, and only when, a token was certainly refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

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


#: Fresh tokens refused for this long are a matter of set-up; refusals further apart than the second have nothing to do
#: with one another.
_REFUSED_FROM, _REFUSED_TO = timedelta(seconds=30), timedelta(minutes=15)


class _Refusals:
    """Since when this process sees fresh tokens refused, without one that was taken in between."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._since: datetime | None = None
        self._seen: datetime | None = None

    def last(self) -> bool:
        """Note one more refusal; gives whether they have lasted."""
        now = self._clock()
        if self._since is None or self._seen is None or now - self._seen > _REFUSED_TO:
            self._since = now
        self._seen = now
        return now - self._since >= _REFUSED_FROM

    def over(self) -> None:
        """A token was taken."""
        self._since = self._seen = None


class Daraja:
    """One app's line to Daraja."""

    def __init__(self, *, account: Account, context: Context) -> None:
        self._http = Http(base_url=account.base_url, user_agent=context.user_agent, log=context.log)
        self._tokens = Tokens(account=account, http=self._http, context=context)
        self._refusals = _Refusals(context.clock)
        self._log = context.log

    def call(
        self,
        name: str,
        path: str,
        body: Mapping[str, object],
        limits: Limits = _LIMITS,
        budget: Budget | None = None,
    ) -> Answer:
        """Send `body` and give the answer, of any status but a refused token.

        A refused token was looked at before the call was, so that the second try can't be a second payment. Nothing
        else is ever sent twice. Raises NotSent, also when the second token is refused too; OutcomeUnknown; and
        Misconfigured when tokens stay refused or the app lacks the product. `budget` is what a port call has left that
        needs several of these.
        """
        budget = budget or Budget(CALL_TIMEOUT_S)
        content = wire.written(body)
        token = self._tokens.current(budget)
        answer = self._send(name, path, content, token, budget, limits)
        if fault_of(answer).meaning is not Meaning.UNAUTHORISED:
            self._refusals.over()
            return answer
        self._log.warning("provider_token_refused", call=name, status=answer.status)
        token = self._tokens.instead_of(token, budget)
        answer = self._send(name, path, content, token, budget, limits)
        fault = fault_of(answer)
        if fault.meaning is Meaning.UNAUTHORISED:
            if not fault.lacks_product and not self._refusals.last():
                # The keys are right, since they were given a token. While shared memory comes and goes, processes end
                # one another's; and the gateway may not know a new token at once. Both pass.
                raise NotSent(f"{name}: a fresh token was refused ({fault.code or fault.status})", retry_after_s=5)
            why = "the app lacks this API product" if fault.lacks_product else "fresh tokens are refused"
            raise Misconfigured(f"{name}: {why} ({fault.code or fault.status})")
        self._refusals.over()
        return answer

    def _send(self, name: str, path: str, content: bytes, token: str, budget: Budget, limits: Limits) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self._http.exchange(name, "POST", path, headers=headers, body=content, budget=budget, limits=limits)
