"""What looks for due work again and again never reads through the rows of the past, however many there are."""

from __future__ import annotations

import psycopg
import pytest

from tests.persistence.shop import NOW, Shop

PAST, WAITING, LANES = 20_000, 4_000, 40
FILL = """
INSERT INTO gateway.outbox (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at, lane, done_at,
  lease_until)
SELECT gateway.new_id(), %(business)s, false, %(kind)s, %(queue)s, 90, gen_random_uuid(),
  %(now)s::timestamptz + make_interval(secs => n.n %% 3600 + %(after)s),
  CASE WHEN %(laned)s THEN ('00000000-0000-7000-8000-' || lpad((n.n %% %(lanes)s)::text, 12, '0'))::uuid END,
  CASE WHEN %(done)s THEN now() END, CASE WHEN %(late)s THEN now() - interval '1 second' END
FROM generate_series(1, %(rows)s) AS n (n)
"""
CALLS = {
    "claim": "SELECT count(*) FROM gateway.claim_due(ARRAY['pay', 'ask', 'send', 'slow', 'tend'],"
    " ARRAY[100, 100, 100, 100, 100], 4, %(now)s, ARRAY[2, 2, 2, 1, 1], ARRAY['mpesa_push'], ARRAY[9], ARRAY[9])",
    "claim of nothing": "SELECT count(*) FROM gateway.claim_due(ARRAY['slow'], ARRAY[100], 4, %(now)s)",
    "backlog": "SELECT gateway.backlog_s(%(now)s)",
    "metrics": "SELECT count(*) FROM gateway.metrics(%(now)s)",
}
SCANS = "SELECT seq_scan FROM pg_stat_xact_all_tables WHERE relid = 'gateway.outbox'::regclass"


@pytest.mark.parametrize("knows_its_rows", [True, False], ids=["analysed", "not yet analysed"])
def test_the_outbox_is_only_ever_read_by_its_indexes(shop: Shop, knows_its_rows: bool) -> None:
    values = {"business": shop.a.business_id, "now": NOW, "lanes": LANES, "done": False, "late": False, "after": -7200}
    parts = [
        {"kind": "attempt.submit", "queue": "pay", "laned": True, "done": True, "rows": PAST},
        {"kind": "attempt.submit", "queue": "pay", "laned": True, "rows": WAITING},
        {"kind": "callback.weigh", "queue": "ask", "laned": False, "rows": WAITING},
        {"kind": "webhook.deliver", "queue": "send", "laned": True, "rows": WAITING},
        {"kind": "attempt.look_up", "queue": "ask", "laned": True, "late": True, "rows": 50},
        {"kind": "payment.expire", "queue": "tend", "laned": False, "after": 7200, "rows": WAITING},
    ]
    with psycopg.connect(shop.database.plain_url("owner"), autocommit=True) as conn:
        for part in parts:
            conn.execute(FILL, {**values, **part})
        if knows_its_rows:
            conn.execute("ANALYZE gateway.outbox")
        found = {}
        for name, call in CALLS.items():
            with conn.transaction():
                before = conn.execute(SCANS).fetchone()
                for _ in range(2):
                    conn.execute(call, values)
                after = conn.execute(SCANS).fetchone()
            assert before is not None
            assert after is not None
            found[name] = after[0] - before[0]
    assert found == dict.fromkeys(CALLS, 0)
