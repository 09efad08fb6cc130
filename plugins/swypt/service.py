"""SwyptApiService: Swypt's API call by call, in either generation of paths. Each method is one call, sent once.

Raises NotSent when nothing left or a gate turned it away, OutcomeUnknown when the answer isn't clear, Misconfigured for
keys and set-up, and what each method names besides. Both headers go with every call. Swypt documents no rate limit, no
idempotency key and no request id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote as quoted

from plugins.kit.http import Budget, Http, Limits
from plugins.swypt import faults, wire
from plugins.swypt.config import Account
from plugins.swypt.faults import Meaning, error_of, meaning_of
from plugins.swypt.orders import Deposited, HistoryPage, Order, read_order, read_row
from plugins.swypt.quotes import Quote, read_quote
from plugins.swypt.wire import Envelope
from ports.context import Context
from ports.errors import AlreadyTaken, OutcomeUnknown

#: Clients wait 10 to 30 s for one answer.
_LIMITS = Limits(connect_s=5, read_s=30, total_s=35, least_s=2)
#: The longest that one port call takes, however many calls it makes.
CALL_TIMEOUT_S = 60
#: Rows asked for at once. How to ask for a page isn't documented: what comes is believed, not what was asked.
PAGE_ROWS = 50


class SwyptApiService:
    """One account's line. Safe to share between threads."""

    def __init__(self, *, account: Account, context: Context) -> None:
        self._account = account
        self._paths = account.paths
        self._http = Http(base_url=account.base_url, user_agent=context.user_agent, log=context.log)
        self._log = context.log

    @property
    def has_histories(self) -> bool:
        """Whether this generation of paths has the two histories."""
        return self._paths.deposits is not None

    # Reading

    def quote(self, *, is_onramp: bool, amount: Decimal, symbol: str, network: str, budget: Budget) -> Quote:
        """A price for `amount`: shillings for an on-ramp, tokens for an off-ramp. Also Refused."""
        body = {
            "type": "onramp" if is_onramp else "offramp",
            "amount": _written_out(amount),
            "fiatCurrency": "KES",
            "cryptoCurrency": symbol,
            "network": network,
        }
        if not is_onramp:
            body["category"] = "B2C"
        envelope = self._post("quote", self._paths.quote, body, budget)
        if envelope.ok is not True:
            raise error_of("quote", envelope, faults.QUOTE_ROWS)
        return read_quote(envelope.data, is_onramp=is_onramp, asked=amount)

    def assets(self, budget: Budget) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """The listed tokens by network in small letters: objects with symbol, decimals and address."""
        envelope = self._get("assets", self._paths.assets, budget)
        listed = wire.objects(envelope.data.get("crypto"))
        if envelope.ok is not True or not listed:
            raise error_of("assets", envelope, ())
        return {
            network.strip().lower(): [one for one in tokens if isinstance(one, dict)]
            for network, tokens in listed.items()
            if isinstance(tokens, list)
        }

    def onramp_status(self, order_id: str, budget: Budget) -> Order | None:
        """What became of an on-ramp order; None when there is none of that name."""
        return self._status("onramp_status", self._paths.onramp_status, order_id, budget)

    def offramp_status(self, order_id: str, budget: Budget) -> Order | None:
        """What became of an off-ramp order; None when there is none of that name."""
        return self._status("offramp_status", self._paths.offramp_status, order_id, budget)

    def _status(self, call: str, path: str, order_id: str, budget: Budget) -> Order | None:
        envelope = self._get(call, f"{path}/{quoted(order_id, safe='')}", budget)
        if envelope.ok is True:
            return read_order(envelope.data)
        if meaning_of(envelope, faults.STATUS_ROWS) is Meaning.NOTHING:
            return None
        raise error_of(call, envelope, faults.STATUS_ROWS)

    def deposits(self, wallet: str, page: int, budget: Budget) -> HistoryPage:
        """A page of on-ramp orders of a wallet, from page 1, newest first; empty where there is no history."""
        return self._history("deposits", self._paths.deposits, wallet, page, budget)

    def withdrawals(self, wallet: str, page: int, budget: Budget) -> HistoryPage:
        """A page of off-ramp orders of a wallet, from page 1, newest first; empty where there is no history."""
        return self._history("withdrawals", self._paths.withdrawals, wallet, page, budget)

    def _history(self, call: str, path: str | None, wallet: str, page: int, budget: Budget) -> HistoryPage:
        if path is None:
            return HistoryPage(rows=(), has_more=False)
        envelope = self._get(call, f"{path}/{quoted(wallet, safe='')}?page={page}&limit={PAGE_ROWS}", budget)
        if meaning_of(envelope, faults.HISTORY_ROWS) is Meaning.NOTHING:
            return HistoryPage(rows=(), has_more=False)
        if envelope.ok is not True or envelope.rows is None:
            raise error_of(call, envelope, faults.HISTORY_ROWS)
        told = wire.objects(envelope.body.get("pagination"))
        current, pages = wire.decimal(told.get("currentPage")), wire.decimal(told.get("totalPages"))
        if current != page:
            if page > 1:
                # It doesn't page as asked: these are rows of another page, and asking on would never end.
                self._log.warning("swypt_history_pages", call=call, asked=page)
                return HistoryPage(rows=(), has_more=False)
            pages = None
        rows = tuple(map(read_row, envelope.rows))
        return HistoryPage(rows=rows, has_more=bool(rows) and pages is not None and page < pages)

    # Acting

    def start_onramp(self, *, payer: str, shillings: int, wallet: str, token: str, budget: Budget) -> str:
        """Prompt a phone; gives the order. Each call is another prompt. Also Refused."""
        body = {
            "partyA": payer,
            "amount": str(shillings),
            "side": "onramp",
            "userAddress": wallet,
            "tokenAddress": token,
        }
        envelope = self._post("onramp", self._paths.onramp, body, budget)
        if envelope.ok is not True:
            raise error_of("onramp", envelope, faults.ONRAMP_ROWS)
        return self._order_in("onramp", envelope)

    def deposit(self, *, network: str, wallet: str, order_id: str, budget: Budget) -> Deposited:
        """Release what an order collected. Harmless to repeat. Also Refused, and AlreadyTaken for what is released."""
        body = {"chain": network, "address": wallet, "orderID": order_id, "project": self._account.project}
        envelope = self._post("deposit", self._paths.deposit, body, budget)
        if envelope.ok is True:
            tx = wire.tx_hash(envelope.body.get("hash")) or wire.tx_hash(envelope.data.get("hash"))
            return Deposited(tx=tx, tokens=wire.decimal(envelope.data.get("cryptoAmount")))
        if meaning_of(envelope, faults.DEPOSIT_ROWS) is Meaning.TAKEN:
            raise AlreadyTaken("deposit: released already, or being released", provider_reference=order_id)
        raise error_of("deposit", envelope, faults.DEPOSIT_ROWS)

    def order_offramp(self, *, network: str, tx: str, receiver: str, token: str, wallet: str, budget: Budget) -> str:
        """Have shillings sent for tokens that are in the escrow; gives the order. The same hash is AlreadyTaken."""
        body = {
            "chain": network,
            "hash": tx,
            "partyB": receiver,
            "tokenAddress": token,
            "project": self._account.project,
        }
        if self._paths.offramp_names_wallet:
            body["userAddress"] = wallet
        envelope = self._post("offramp", self._paths.offramp, body, budget)
        if envelope.ok is True:
            return self._order_in("offramp", envelope)
        if meaning_of(envelope, faults.OFFRAMP_ROWS) is Meaning.TAKEN:
            theirs = wire.opaque(envelope.data.get("orderID"))
            raise AlreadyTaken("offramp: this transaction has its order", provider_reference=theirs)
        raise error_of("offramp", envelope, faults.OFFRAMP_ROWS)

    def ticket(self, *, is_onramp: bool, body: Mapping[str, str], budget: Budget) -> str:
        """Ask Swypt's people to look; gives the ticket's id. Each call is another ticket. Also Refused."""
        path = self._paths.onramp_ticket if is_onramp else self._paths.offramp_ticket
        envelope = self._post("ticket", path, body, budget)
        if envelope.ok is not True:
            raise error_of("ticket", envelope, faults.TICKET_ROWS)
        found = wire.opaque(wire.objects(envelope.data.get("refund")).get("_id"))
        if found is None:
            raise OutcomeUnknown("ticket: taken without an id")
        return found

    def _order_in(self, call: str, envelope: Envelope) -> str:
        found = wire.opaque(envelope.data.get("orderID"))
        if found is None:
            raise OutcomeUnknown(f"{call}: accepted without an order")
        return found

    # Sending

    def _post(self, call: str, path: str, body: Mapping[str, str], budget: Budget) -> Envelope:
        return self._send(call, "POST", path, wire.written(body), budget)

    def _get(self, call: str, path: str, budget: Budget) -> Envelope:
        return self._send(call, "GET", path, None, budget)

    def _send(self, call: str, method: str, path: str, content: bytes | None, budget: Budget) -> Envelope:
        headers = {"x-api-key": self._account.api_key, "x-api-secret": self._account.api_secret}
        if content is not None:
            headers["Content-Type"] = "application/json"
        answer = self._http.exchange(
            f"swypt_{call}", method, path, headers=headers, body=content, budget=budget, limits=_LIMITS
        )
        envelope = wire.opened(answer)
        if (turned_away := faults.at_the_gate(call, answer, envelope)) is not None:
            raise turned_away
        return envelope


def _written_out(amount: Decimal) -> str:
    """A decimal text without exponent and without zeros at the end."""
    found = f"{amount:f}"
    return found.rstrip("0").rstrip(".") if "." in found else found
