"""The proof of the books for money that goes back: refunds, kept excess and debts agree with their rows."""

from __future__ import annotations

#: Name → (what is looked at, a query that counts it, a query that gives one row, `what`, for each thing that is wrong).
OF_REFUNDS: dict[str, tuple[str, str, str]] = {
    "a refund is open exactly while its outcome isn't booked": (
        "refunds",
        "SELECT count(*) FROM gateway.refund",
        """
SELECT format('refund %s is %s, accepted %s, decided %s', r.id, r.state, a.id IS NOT NULL, o.id IS NOT NULL) AS what
FROM gateway.refund r
CROSS JOIN LATERAL (SELECT 'refund:' || gateway.public_id('re', r.id) AS key) k
LEFT JOIN ledger.journal a ON a.livemode = r.livemode AND a.idem_key = k.key || ':accept'
LEFT JOIN ledger.journal o ON o.livemode = r.livemode AND o.idem_key = k.key || ':outcome'
WHERE a.id IS NULL OR (r.state IN ('succeeded', 'failed', 'canceled')) <> (o.id IS NOT NULL)
""",
    ),
    "refunds never exceed what arrived": (
        "payments refunded",
        "SELECT count(*) FROM gateway.payment WHERE refunded_units > 0",
        """
WITH taken AS (
  SELECT r.payment_id,
         sum(CASE WHEN r.state IN ('failed', 'canceled') THEN r.sent_units ELSE r.amount_units END) AS units
  FROM gateway.refund r GROUP BY r.payment_id
), drawn AS (SELECT payment_id, sum(refunded_units) AS units FROM gateway.receipt GROUP BY payment_id)
SELECT format('payment %s: refunded %s, its refunds say %s, its receipts %s, received %s',
              p.id, p.refunded_units, COALESCE(t.units, 0), COALESCE(d.units, 0), p.received_units) AS what
FROM gateway.payment p LEFT JOIN taken t ON t.payment_id = p.id LEFT JOIN drawn d ON d.payment_id = p.id
WHERE p.refunded_units > p.received_units
   OR (p.refunded_units, p.refunded_units) IS DISTINCT FROM (COALESCE(t.units, 0), COALESCE(d.units, 0))
""",
    ),
    "overpayments are the excess that nobody has decided about": (
        "businesses with receipts",
        "SELECT count(DISTINCT (business_id, livemode)) FROM gateway.receipt WHERE payment_id IS NOT NULL",
        """
WITH open AS (
  SELECT business_id, livemode, currency, sum(over_units - over_spent_units) AS units
  FROM gateway.receipt WHERE payment_id IS NOT NULL GROUP BY business_id, livemode, currency
)
SELECT format('business %s: overpayments %s, the excess of its receipts is %s',
              o.business_id, n.balance, o.units) AS what
FROM open o LEFT JOIN ledger.account a ON a.business_id = o.business_id AND a.livemode = o.livemode
  AND a.asset = o.currency AND a.path = 'business:' || gateway.public_id('biz', o.business_id) || ':overpayments'
LEFT JOIN ledger.balance_now n ON n.account_id = a.id
WHERE COALESCE(n.balance, 0) <> o.units
""",
    ),
    "owed is what was taken back and not recovered": (
        "reversals",
        "SELECT count(*) FROM gateway.reversal WHERE payment_id IS NOT NULL",
        """
WITH debt AS (
  SELECT business_id, livemode, sum(amount_units) AS units FROM gateway.reversal
  WHERE refund_id IS NULL AND payment_id IS NOT NULL GROUP BY business_id, livemode
), paid AS (
  SELECT business_id, livemode, sum(amount_units) AS units FROM gateway.recovery GROUP BY business_id, livemode
)
SELECT format('business %s: owed %s, by its rows %s',
              d.business_id, -n.balance, d.units - COALESCE(p.units, 0)) AS what
FROM debt d LEFT JOIN paid p USING (business_id, livemode)
LEFT JOIN ledger.account a ON a.business_id = d.business_id AND a.livemode = d.livemode
  AND a.path = 'business:' || gateway.public_id('biz', d.business_id) || ':owed'
LEFT JOIN ledger.balance_now n ON n.account_id = a.id
WHERE COALESCE(-n.balance, 0) <> d.units - COALESCE(p.units, 0)
""",
    ),
}
