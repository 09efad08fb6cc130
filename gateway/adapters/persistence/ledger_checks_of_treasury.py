"""What the books say of wallets and partners, held against what chains showed and what conversions say."""

from __future__ import annotations

#: Name → (what is looked at, a query that counts it, a query that gives one row, `what`, for each thing that is wrong).
OF_TREASURY: dict[str, tuple[str, str, str]] = {
    "wallets hold what chains showed": (
        "sightings booked",
        "SELECT count(*) FROM gateway.sighting WHERE state = 'booked'",
        """
WITH held AS (
  SELECT a.path, a.asset, a.livemode, sum(b.dr - b.cr) AS units
  FROM ledger.balance_now b JOIN ledger.account a ON a.id = b.account_id
  WHERE a.path LIKE 'treasury:%' GROUP BY a.path, a.asset, a.livemode
), moved AS (
  SELECT s.wallet_id, s.asset, s.livemode, s.units FROM gateway.sighting s
  WHERE s.incoming AND s.booked_hash IS NOT NULL
  UNION ALL
  SELECT w.id, s.asset, s.livemode, -s.units FROM gateway.sighting s
  JOIN gateway.wallet w ON (w.livemode, w.network, w.address) = (s.livemode, s.network, s.counterparty)
  WHERE s.incoming AND s.booked_hash IS NOT NULL AND s.conversion_id IS NULL
  UNION ALL
  SELECT t.wallet_id, c.asset, t.livemode, -t.spends_units FROM gateway.chain_transfer t
  JOIN gateway.conversion c ON c.id = t.conversion_id WHERE t.state = 'confirmed' AND t.spends_units > 0
), shown AS (
  SELECT format('treasury:%s:%s:%s', split_part(asset, '.', 2), split_part(asset, '.', 1),
                gateway.public_id('wal', wallet_id)) AS path, asset, livemode, sum(units) AS units
  FROM moved GROUP BY wallet_id, asset, livemode
)
SELECT format('%s, livemode %s holds %s, chains showed %s',
              path, livemode, COALESCE(h.units, 0), COALESCE(s.units, 0)) AS what
FROM held h FULL JOIN shown s USING (path, asset, livemode) WHERE COALESCE(h.units, 0) <> COALESCE(s.units, 0)
""",
    ),
    "a partner's clearing is what it owes": (
        "conversions",
        "SELECT count(*) FROM gateway.conversion",
        """
WITH held AS (
  SELECT a.path, a.asset, a.livemode, sum(b.dr - b.cr) AS units
  FROM ledger.balance_now b JOIN ledger.account a ON a.id = b.account_id
  WHERE a.path LIKE 'clearing:con\\_%' GROUP BY a.path, a.asset, a.livemode
), owed AS (
  SELECT format('clearing:%s:in', gateway.public_id('con', r.clearing_id)) AS path, r.currency AS asset, r.livemode,
         sum(r.amount_units - COALESCE(c.converted_units, 0)) AS units
  FROM gateway.receipt r
  LEFT JOIN gateway.conversion c ON c.livemode = r.livemode AND c.direction = 'in' AND c.source_id = r.id
  WHERE r.clearing_id IS NOT NULL GROUP BY r.clearing_id, r.currency, r.livemode
  UNION ALL
  SELECT format('clearing:%s:out:%s', gateway.public_id('con', c.connection_id), c.asset), c.asset, c.livemode,
         sum(t.spends_units) - COALESCE(sum(t.spends_units) FILTER (WHERE c.state = 'settled'), 0)
  FROM gateway.conversion c JOIN gateway.chain_transfer t ON t.conversion_id = c.id AND t.state = 'confirmed'
  WHERE c.direction = 'out' GROUP BY c.connection_id, c.asset, c.livemode
)
SELECT format('%s, livemode %s holds %s, what is owed is %s',
              path, livemode, COALESCE(h.units, 0), COALESCE(o.units, 0)) AS what
FROM held h FULL JOIN owed o USING (path, asset, livemode) WHERE COALESCE(h.units, 0) <> COALESCE(o.units, 0)
""",
    ),
    "suspense of tokens is what nobody named": (
        "sightings without a conversion",
        "SELECT count(*) FROM gateway.sighting WHERE state = 'booked' AND incoming AND conversion_id IS NULL",
        """
WITH held AS (
  SELECT a.path, a.asset, a.livemode, sum(b.cr - b.dr) AS units
  FROM ledger.balance_now b JOIN ledger.account a ON a.id = b.account_id
  WHERE a.path LIKE 'suspense:%' AND a.path NOT LIKE 'suspense:flt\\_%' GROUP BY a.path, a.asset, a.livemode
), waiting AS (
  SELECT format('suspense:%s:%s', split_part(s.asset, '.', 2), split_part(s.asset, '.', 1)) AS path,
         s.asset, s.livemode, sum(s.units) AS units
  FROM gateway.sighting s WHERE s.incoming AND s.booked_hash IS NOT NULL AND s.conversion_id IS NULL AND NOT EXISTS (
    SELECT FROM gateway.wallet w WHERE (w.livemode, w.network, w.address) = (s.livemode, s.network, s.counterparty))
  GROUP BY s.asset, s.livemode
  UNION ALL
  SELECT format('suspense:%s', gateway.public_id('con', c.connection_id)), s.asset, s.livemode, sum(s.surplus_units)
  FROM gateway.sighting s JOIN gateway.conversion c ON c.id = s.conversion_id
  WHERE s.incoming AND s.booked_hash IS NOT NULL GROUP BY c.connection_id, s.asset, s.livemode
)
SELECT format('%s, livemode %s holds %s, what waits is %s',
              path, livemode, COALESCE(h.units, 0), COALESCE(w.units, 0)) AS what
FROM held h FULL JOIN waiting w USING (path, asset, livemode) WHERE COALESCE(h.units, 0) <> COALESCE(w.units, 0)
""",
    ),
}
