"""The books against a dictionary: whatever is posted, replayed, refused or drained, both hold the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from gateway.domain.errors import InsufficientFunds
from gateway.domain.ledger import BUCKETS, Account, Class, Journal, KeyConflict, Kind, Posted
from ports.money import Asset
from tests.persistence.books import ASSETS, NOON, Books, Trader

#: Few small sums, so that balances run out; and the largest that anybody may ever post.
units = st.one_of(st.integers(1, 30), st.integers(1, 10**30), st.sampled_from([10**6, 10**18, 10**30]))
TRADERS, FLOATS = 2, 2


@dataclass
class Held:
    """One account of the model."""

    dr: int = 0
    cr: int = 0
    version: int = 0

    def breaks(self, account: Account) -> bool:
        return account.rule * (self.cr - self.dr) < 0


@dataclass
class Model:
    """The ledger in a page: accounts by (path, asset), journals by key."""

    held: dict[tuple[str, str], Held] = field(default_factory=lambda: defaultdict(Held))
    posted: dict[str, tuple[Journal, Posted]] = field(default_factory=dict)

    def after(self, journals: list[Journal]) -> dict[tuple[str, str], Held] | None:
        """What the touched accounts hold after them; None when a bound breaks at any step."""
        touched: dict[tuple[str, str], Held] = {}
        for journal in journals:
            accounts = {(a.path, a.asset.code): a for leg in journal.legs for a in (leg.debit, leg.credit)}
            for name in accounts:
                touched[name] = replace(touched.get(name, self.held[name]))
                touched[name].version += 1
            for leg in journal.legs:
                touched[leg.debit.path, leg.debit.asset.code].dr += leg.units
                touched[leg.credit.path, leg.credit.asset.code].cr += leg.units
            if any(touched[name].breaks(account) for name, account in accounts.items()):
                return None
        return touched


class BooksMachine(RuleBasedStateMachine):
    """Two businesses, two floats, four assets, both modes of posting."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self.books = books
        self.app, self.worker = books.of("app"), books.of("worker")
        self.model = Model()

    @initialize(livemode=st.booleans())
    def open(self, livemode: bool) -> None:
        """Names of its own, so that examples share one database."""
        self.livemode = livemode
        self.traders = [Trader() for _ in range(TRADERS)]
        self.floats = [Trader().float for _ in range(FLOATS)]

    def account(self, trader: Trader, place: int, asset: Asset) -> Account:
        """One of the accounts that a journal of this business may touch."""
        if place < len(BUCKETS):
            return trader.bucket(BUCKETS[place], asset)
        return replace(self.floats[place % FLOATS], asset=asset, class_=Class.ASSET)

    def journal(self, draw: Any) -> Journal:
        """Any journal of one business: one to four legs, each of any asset."""
        trader = draw(st.sampled_from(self.traders))
        lines = []
        for _ in range(draw(st.integers(1, 4))):
            asset = draw(st.sampled_from(ASSETS))
            first, step = draw(st.integers(0, 7)), draw(st.integers(1, 7))
            one, other = (self.account(trader, place, asset) for place in (first, (first + step) % 8))
            lines.append((one, other, draw(units)))
        touched = {account.business_id for debit, credit, _ in lines for account in (debit, credit)} - {None}
        whose = trader.business_id if touched else None
        return trader.journal(*lines, livemode=self.livemode, business_id=whose)

    def remember(self, journals: list[Journal], posted: list[Posted]) -> None:
        after = self.model.after(journals)
        assert after is not None
        self.model.held.update(after)
        for journal, one in zip(journals, posted, strict=True):
            assert not one.replayed
            self.model.posted[journal.key] = (journal, one)

    @rule(data=st.data())
    def post(self, data: Any) -> None:
        journal = self.journal(data.draw)
        if self.model.after([journal]) is None:
            try:
                self.app.post_now(journal)
            except InsufficientFunds:
                return
            raise AssertionError("money that was not there was spent")
        self.remember([journal], [self.app.post_now(journal)])

    @rule(
        trader=st.integers(0, TRADERS - 1),
        bucket=st.sampled_from(BUCKETS[:5]),
        asset=st.sampled_from(ASSETS),
        sum_=units,
    )
    def pay_in(self, trader: int, bucket: str, asset: Asset, sum_: int) -> None:
        """Money to spend: most random journals are refused."""
        whose = self.traders[trader]
        source = replace(self.floats[0], asset=asset)
        journal = whose.journal((source, whose.bucket(bucket, asset), sum_), livemode=self.livemode)
        self.remember([journal], [self.worker.post_now(journal)])

    @rule(data=st.data(), size=st.integers(1, 4), with_replay=st.booleans())
    def post_many(self, data: Any, size: int, with_replay: bool) -> None:
        fresh = [self.journal(data.draw) for _ in range(size)]
        known = list(self.model.posted.values())[-1:] if with_replay else []
        journals = fresh[:1] + [journal for journal, _ in known] + fresh[1:]
        if self.model.after(fresh) is None:
            try:
                self.worker.post_many(journals)
            except InsufficientFunds:
                return
            raise AssertionError("a batch passed a bound")
        posted = self.worker.post_many(journals)
        for _, first in known:
            again = posted.pop(1)
            assert (again.uid, again.journal_id, again.replayed) == (first.uid, first.journal_id, True)
        self.remember(fresh, posted)

    @precondition(lambda self: self.model.posted)
    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        journal, first = data.draw(st.sampled_from(list(self.model.posted.values())))
        again = self.app.post_now(replace(journal, effective_at=NOON.replace(year=2030), meta={"again": True}))
        assert (again.uid, again.journal_id, again.replayed) == (first.uid, first.journal_id, True)

    @precondition(lambda self: self.model.posted)
    @rule(data=st.data(), batch=st.booleans())
    def conflict(self, data: Any, batch: bool) -> None:
        journal, _ = data.draw(st.sampled_from(list(self.model.posted.values())))
        leg = journal.legs[0]
        other = data.draw(
            st.sampled_from(
                [
                    replace(journal, legs=(replace(leg, units=leg.units + 1), *journal.legs[1:])),
                    replace(journal, legs=(*journal.legs, leg)),
                    replace(journal, kind=Kind.CHARGE),
                ]
            )
        )
        try:
            self.app.post_many([other]) if batch else self.app.post_now(other)
        except KeyConflict:
            return
        raise AssertionError("one key was posted with two contents")

    @rule(rows=st.integers(1, 50))
    def drain(self, rows: int) -> None:
        self.worker.drain(livemode=self.livemode, rows=rows)

    @invariant()
    def both_hold_the_same(self) -> None:
        if not self.model.held:
            return
        names = list(self.model.held)
        sql = text(
            "SELECT t.path, t.asset, t.dr, t.cr, t.version FROM ledger.trial_balance t"
            " JOIN unnest(CAST(:paths AS text[]), CAST(:assets AS text[])) AS w (path, asset) USING (path, asset)"
            " WHERE t.livemode = :livemode"
        )
        values = {"paths": [n[0] for n in names], "assets": [n[1] for n in names], "livemode": self.livemode}
        with self.books.engine("operator").connect() as conn:
            found = {(r.path, r.asset): Held(int(r.dr), int(r.cr), int(r.version)) for r in conn.execute(sql, values)}
        wanted = {name: held for name, held in self.model.held.items() if held.version}
        assert found == wanted

    def teardown(self) -> None:
        # Random journals move money into `reserved` that no payout put there.
        assert self.books.proved(but="reserved is what waits for an outcome")


def test_the_books_hold_what_the_model_holds(shared_books: Books) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: BooksMachine(shared_books),
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert shared_books.count("journal") > 20
