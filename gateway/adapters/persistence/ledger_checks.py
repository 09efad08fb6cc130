"""The proof of the books: each invariant as a query that finds what breaks it, all on one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Row

from gateway.adapters.persistence.ledger_checks_of_refunds import OF_REFUNDS
from gateway.adapters.persistence.ledger_checks_of_treasury import OF_TREASURY
from gateway.adapters.persistence.ledger_rights import RIGHTS
from gateway.application.ledger import Finding, Verdict

_SAMPLES = 3
_QUEUE_ROWS_MAX = 10_000
_QUEUE_AGE_MAX_S = 60

#: Name → (what is looked at, a query that counts it, a query that gives one row, `what`, for each thing that is wrong).
_BOOKS: dict[str, tuple[str, str, str]] = {
    "debits equal credits, per asset and mode": (
        "accounts",
        "SELECT count(*) FROM ledger.account",
        """
SELECT format('%s, livemode %s: debits %s, credits %s', asset, livemode, sum(dr), sum(cr)) AS what
FROM ledger.trial_balance GROUP BY asset, livemode HAVING sum(dr) <> sum(cr)
""",
    ),
    "each balance is the sum of its legs": (
        "legs",
        "SELECT count(*) FROM ledger.leg",
        """
WITH folded AS (
  SELECT account_id, sum(dr) AS dr, sum(cr) AS cr, count(*) AS n FROM ledger.movement GROUP BY account_id
)
SELECT format('%s holds %s debits and %s credits at version %s; its legs say %s and %s in %s journals',
              a.path, b.dr, b.cr, b.version, COALESCE(f.dr, 0), COALESCE(f.cr, 0), COALESCE(f.n, 0)) AS what
FROM ledger.account a
LEFT JOIN ledger.balance_now b ON b.account_id = a.id LEFT JOIN folded f ON f.account_id = a.id
WHERE (b.dr, b.cr, b.version) IS DISTINCT FROM (COALESCE(f.dr, 0), COALESCE(f.cr, 0), COALESCE(f.n, 0))
""",
    ),
    "versions have no gap and balances follow": (
        "live accounts",
        "SELECT count(*) FROM ledger.account WHERE balance_mode = 'L'",
        """
WITH chain AS (
  SELECT m.*, a.path, lag(m.version, 1, 0::bigint) OVER w AS version_before,
         lag(m.balance_after, 1, 0::numeric) OVER w AS balance_before
  FROM ledger.movement m JOIN ledger.account a ON a.id = m.account_id
  WHERE a.balance_mode = 'L' WINDOW w AS (PARTITION BY m.account_id ORDER BY m.version)
)
SELECT format('%s: version %s after %s, balance %s after %s and a change of %s',
              path, version, version_before, balance_after, balance_before, net) AS what
FROM chain
WHERE NOT of_one_mind OR (version, balance_after) IS DISTINCT FROM (version_before + 1, balance_before + net)
""",
    ),
    "queued accounts are neither bounded nor numbered": (
        "queued accounts",
        "SELECT count(*) FROM ledger.account WHERE balance_mode = 'Q'",
        """
SELECT format('%s has a running balance in journal %s', a.path, e.journal_id) AS what
FROM ledger.entry e JOIN ledger.account a ON a.id = e.account_id
WHERE a.balance_mode = 'Q' AND (e.version IS NOT NULL OR e.balance_after IS NOT NULL)
UNION ALL
SELECT format('%s has a rule', a.path) FROM ledger.account a JOIN ledger.balance b ON b.account_id = a.id
WHERE a.balance_mode = 'Q' AND b.rule <> 0
""",
    ),
    "no business below zero, now or at any moment": (
        "accounts of businesses",
        "SELECT count(*) FROM ledger.account WHERE business_id IS NOT NULL",
        """
SELECT format('%s held %s after journal %s', a.path, e.balance_after, e.journal_id) AS what
FROM ledger.entry e JOIN ledger.account a ON a.id = e.account_id JOIN ledger.balance b ON b.account_id = a.id
WHERE b.rule * e.balance_after < -b.slack
UNION ALL
SELECT format('%s holds %s', a.path, n.balance)
FROM ledger.account a JOIN ledger.balance_now n ON n.account_id = a.id WHERE n.rule * n.balance < -n.slack
UNION ALL
SELECT format('%s has the rule %s', a.path, b.rule)
FROM ledger.account a JOIN ledger.balance b ON b.account_id = a.id
WHERE a.business_id IS NOT NULL AND a.balance_mode = 'L'
  AND b.rule IS DISTINCT FROM (CASE a.class WHEN 'L' THEN 1 WHEN 'A' THEN -1 END)
UNION ALL
SELECT 'the bound of the balances is missing' WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint
  WHERE conrelid = 'ledger.balance'::regclass AND conname = 'balance_bound' AND contype = 'c' AND convalidated)
""",
    ),
    "an event is posted once": (
        "journals",
        "SELECT count(*) FROM ledger.journal",
        """
SELECT format('%s: %s times', idem_key, count(*)) AS what
FROM ledger.journal GROUP BY livemode, idem_key HAVING count(*) > 1
UNION ALL
SELECT 'the unique key (livemode, idem_key) is missing' WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint
  WHERE conrelid = 'ledger.journal'::regclass AND contype = 'u'
    AND pg_get_constraintdef(oid) = 'UNIQUE (livemode, idem_key)')
""",
    ),
    "each journal is what was asked for": (
        "fingerprints",
        "SELECT count(*) FROM ledger.journal",
        """
SELECT format('journal %s (%s) has another kind or other legs than its fingerprint', j.id, j.idem_key) AS what
FROM ledger.journal j LEFT JOIN LATERAL (
  SELECT string_agg(format('[%s,%s,%s,"%s"]', to_json(d.path), to_json(c.path), to_json(l.asset), l.amount), ','
                    ORDER BY l.line) AS legs
  FROM ledger.leg l JOIN ledger.account d ON d.id = l.debit_id JOIN ledger.account c ON c.id = l.credit_id
  WHERE l.journal_id = j.id
) AS t ON true
WHERE sha256(convert_to(format('[%s,[%s]]', to_json(j.kind), t.legs), 'UTF8')) IS DISTINCT FROM j.fingerprint
""",
    ),
    "businesses and modes don't mix": (
        "legs",
        "SELECT count(*) FROM ledger.leg",
        """
SELECT format('journal %s, line %s', l.journal_id, l.line) AS what
FROM ledger.leg l JOIN ledger.journal j ON j.id = l.journal_id
LEFT JOIN ledger.account d ON d.id = l.debit_id LEFT JOIN ledger.account c ON c.id = l.credit_id
WHERE (l.livemode, d.livemode, c.livemode) IS DISTINCT FROM (j.livemode, j.livemode, j.livemode)
   OR (d.asset, c.asset) IS DISTINCT FROM (l.asset, l.asset)
   OR l.business_id IS DISTINCT FROM COALESCE(d.business_id, c.business_id)
   OR COALESCE(d.business_id, j.business_id) IS DISTINCT FROM j.business_id
   OR COALESCE(c.business_id, j.business_id) IS DISTINCT FROM j.business_id
UNION ALL
SELECT format('balance of %s', a.path) FROM ledger.account a LEFT JOIN ledger.balance b ON b.account_id = a.id
WHERE (a.livemode, a.business_id) IS DISTINCT FROM (b.livemode, b.business_id)
""",
    ),
    "suspense is the receipts that nobody has": (
        "receipts in suspense",
        "SELECT count(*) FROM gateway.receipt WHERE payment_id IS NULL",
        """
WITH held AS (
  SELECT a.path, a.livemode, sum(b.cr - b.dr) AS units
  FROM ledger.balance_now b JOIN ledger.account a ON a.id = b.account_id
  WHERE a.path LIKE 'suspense:flt\\_%' GROUP BY a.path, a.livemode
), waiting AS (
  SELECT 'suspense:' || gateway.public_id('flt', r.float_id) AS path, r.livemode,
    sum(r.amount_units - r.reversed_units) AS units
  FROM gateway.receipt r WHERE r.payment_id IS NULL GROUP BY r.float_id, r.livemode
)
SELECT format('%s, livemode %s holds %s, what waits is %s',
              path, livemode, COALESCE(h.units, 0), COALESCE(w.units, 0)) AS what
FROM held h FULL JOIN waiting w USING (path, livemode) WHERE COALESCE(h.units, 0) <> COALESCE(w.units, 0)
""",
    ),
    "reserved is what waits for an outcome": (
        "payouts and refunds accepted",
        "SELECT count(*) FROM ledger.journal WHERE kind IN ('payout.accepted', 'refund.accepted')",
        """
WITH waiting AS (
  SELECT m.account_id, sum(m.net) AS units
  FROM ledger.movement m JOIN ledger.account a ON a.id = m.account_id JOIN ledger.journal j ON j.id = m.journal_id
  WHERE a.path LIKE 'business:%:reserved' AND j.idem_key LIKE '%:accept' AND NOT EXISTS (
    SELECT FROM ledger.journal o
    WHERE o.livemode = j.livemode AND o.idem_key = regexp_replace(j.idem_key, ':accept$', ':outcome'))
  GROUP BY m.account_id
)
SELECT format('%s holds %s, what waits is %s', a.path, n.balance, COALESCE(w.units, 0)) AS what
FROM ledger.account a JOIN ledger.balance_now n ON n.account_id = a.id LEFT JOIN waiting w ON w.account_id = a.id
WHERE a.path LIKE 'business:%:reserved' AND n.balance <> COALESCE(w.units, 0)
""",
    ),
    "nothing is held yet": (
        "legs",
        "SELECT count(*) FROM ledger.leg",
        """
SELECT format('journal %s, line %s', journal_id, line) AS what FROM ledger.leg WHERE phase <> 'P'
UNION ALL
SELECT format('account %s', account_id) FROM ledger.balance WHERE dr_held <> 0 OR cr_held <> 0
""",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`breaks` gives one row, `what`, for each thing that is wrong; `count` says how many `units` were looked at."""

    name: str
    units: str
    count: str
    breaks: str


CHECKS = tuple(
    Check(name=name, units=units, count=count, breaks=breaks)
    for name, (units, count, breaks) in {**_BOOKS, **OF_REFUNDS, **OF_TREASURY, **RIGHTS}.items()
)

_QUEUE = """
SELECT COALESCE(sum(rows), 0) AS rows, COALESCE(EXTRACT(epoch FROM clock_timestamp() - min(oldest)), 0)::float AS age
FROM ledger.queue
"""


def run_checks(conn: Connection) -> list[Finding]:
    """Every invariant, in order. `conn` is an operator's, in a snapshot; it may take as long as it takes."""
    _rows(conn, "SET LOCAL statement_timeout = 0")
    return [_run(conn, check) for check in CHECKS] + [_queue(conn)]


def _run(conn: Connection, check: Check) -> Finding:
    started = perf_counter()
    looked_at = f"{_rows(conn, check.count)[0][0]} {check.units}"
    found = _rows(
        conn,
        f"SELECT count(*) OVER () AS n, what FROM ({check.breaks}) AS b LIMIT {_SAMPLES}",  # noqa: S608  # nosec B608
    )
    return Finding(
        name=check.name,
        verdict=Verdict.FAIL if found else Verdict.PASS,
        evidence=f"{found[0].n} wrong among {looked_at}: {'; '.join(row.what for row in found)}"
        if found
        else looked_at,
        seconds=perf_counter() - started,
    )


def _queue(conn: Connection) -> Finding:
    """A long queue is nothing wrong in the books: reads are slower, and a drain has stopped or can't follow."""
    started = perf_counter()
    row = _rows(conn, _QUEUE)[0]
    long = row.rows > _QUEUE_ROWS_MAX or row.age > _QUEUE_AGE_MAX_S
    return Finding(
        name="the queue is drained",
        verdict=Verdict.WARN if long else Verdict.PASS,
        evidence=f"{row.rows} movements wait, the oldest for {row.age:.0f} s",
        seconds=perf_counter() - started,
    )


def _rows(conn: Connection, sql: str) -> list[Row[Any]]:
    """Run SQL as it stands: a `%` in it is no placeholder, a `:` no parameter."""
    result = conn.exec_driver_sql(sql, execution_options={"no_parameters": True})
    return list(result.all()) if result.returns_rows else []
