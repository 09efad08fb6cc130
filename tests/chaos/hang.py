"""One of two connections hangs for a while under steady traffic: the other notices nothing, and it comes back."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from gateway.domain.ids import Prefix, decode
from tests.chaos import judge
from tests.chaos.lines import GOODPUT, PROMPT_S, Selling
from tests.chaos.two import Two

#: The other connection's p99 may be so many times the quiet one; and seconds in which the hung one is back.
RATIO_MAX, BACK_WITHIN_S = 1.25, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """What one hang did, with seconds throughout."""

    how: str
    quiet: list[float]
    hung: list[float]
    other_goodput: float
    hung_refused: float
    back_after_s: float
    goodput_after: float
    goodput_quiet: float

    @property
    def ratio(self) -> float:
        """How much longer the other connection's slowest payments took."""
        return p99(self.hung) / p99(self.quiet)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile; of few values nearly the largest."""
    return statistics.quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else float("nan")


def run(
    two: Two,
    *,
    hows: Sequence[str],
    quiet_s: float,
    hang_s: float,
    back_s: float,
    every_s: float,
    say: Callable[[str], None] = lambda _: None,
) -> list[Hang]:
    """Quiet, then each hang with its return, all under the same traffic; the figures are read when all is over."""
    selling = Selling((two.first, two.second), every_s)
    try:
        time.sleep(min(5.0, quiet_s))
        spans = []
        for how in hows:
            quiet = time.time()
            time.sleep(quiet_s)
            say(f"{how} for {hang_s:.0f} s")
            began = time.time()
            with two.hung(how):
                time.sleep(hang_s)
            returned = time.time()
            time.sleep(back_s)
            spans.append((how, quiet, began, returned, time.time()))
    finally:
        selling.stop()
    _wait_for(two)
    return [_hang(two, *span) for span in spans]


def _hang(two: Two, how: str, quiet: float, began: float, returned: float, ended: float) -> Hang:
    first, second = two.first, two.second
    tried = [s for s in second.sales if began <= s.at < returned]
    return Hang(
        how=how,
        quiet=first.waits(quiet, began),
        hung=first.waits(began, returned),
        other_goodput=first.goodput(began, returned),
        hung_refused=sum(not s.confirmed for s in tried) / max(1, len(tried)),
        back_after_s=second.back_after_s(returned, ended - PROMPT_S),
        goodput_after=second.goodput(returned + BACK_WITHIN_S, ended - PROMPT_S),
        goodput_quiet=second.goodput(quiet, began - PROMPT_S),
    )


def _wait_for(two: Two) -> None:
    """Until nothing moves any more, for some minutes at most; then note when each payment succeeded."""
    until = time.monotonic() + 240
    lines = (two.first, two.second)
    while time.monotonic() < until and any(judge.look(o.shop, o.control, o.made()).open_ for o in lines):
        time.sleep(1)
    with psycopg.connect(two.scene.database.plain_url("owner")) as conn:
        rows = conn.execute(
            "SELECT object_id, EXTRACT(epoch FROM min(created))::float FROM gateway.event"
            " WHERE type = 'payment.succeeded' GROUP BY object_id"
        ).fetchall()
    succeeded: dict[Any, float] = dict(rows)
    for line in (two.first, two.second):
        names = (s.payment for s in line.sales if s.payment)
        line.took = {n: at for n in names if (at := succeeded.get(decode(Prefix.PAYMENT, n))) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of everything: `doubts` are tries of which M-Pesa never heard, shown as unknown."""

    payments: int
    settled: int
    doubts: list[str]
    faults: list[str]


def judged(two: Two) -> Ended:
    """Each payment against its M-Pesa, receipts against movements, and the books."""
    faults, doubts, settled, arrived = [], [], 0, 0
    for line in (two.first, two.second):
        verdict = judge.look(line.shop, line.control, line.made())
        settled += verdict.settled
        doubts += verdict.doubts
        faults += [f"{line.method}: {what}" for what in (*verdict.faults, *verdict.open_)]
        came = 100 * sum(line.control.counts()["money_in"].values())
        arrived += came
        received = sum(p["amount_received"] for p in judge.all_of(line.shop, "/v1/payments"))
        if received != came:
            faults.append(f"{line.method}: {received} received, M-Pesa moved {came}")
    faults += judge.judge_books(two.scene.database, arrived, 0)
    two.scene.books()
    payments = sum(len(line.made().payments) for line in (two.first, two.second))
    return Ended(payments=payments, settled=settled, doubts=doubts, faults=faults)


def short_of(hang: Hang) -> list[str]:
    """What a clock says against it: for the long run on a machine of its own, never for a test."""
    faults = []
    if hang.ratio > RATIO_MAX:
        faults.append(f"{hang.how}: the other connection's p99 was {hang.ratio:.2f} times the quiet one")
    if hang.goodput_after < GOODPUT * hang.goodput_quiet:
        faults.append(f"{hang.how}: {hang.goodput_after:.2f} of the tries were good from {BACK_WITHIN_S:.0f} s on")
    return faults
