-- How long due work waits, and why; and what metrics show.
SET ROLE gateway_owner;

-- A moment as an operator wrote it: in East Africa Time where it names no zone. NULL for a form that isn't read here.
CREATE FUNCTION gateway.moment_of(p_text text) RETURNS timestamptz
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN p_text !~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$' THEN NULL
    WHEN p_text ~ ':.*(Z|[+-][0-9:]+)$' THEN p_text::timestamptz
    ELSE p_text::timestamp AT TIME ZONE interval '3 hours' END
$$;

-- Whether a policy's maintenance goes on: daily windows in East Africa Time, and such as happen once. As Window.ends_at says.
CREATE FUNCTION gateway.is_closed(p_policy jsonb, p_now timestamptz) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM jsonb_array_elements(CASE WHEN jsonb_typeof(p_policy->'windows') = 'array' THEN p_policy->'windows' ELSE '[]' END) AS w
    CROSS JOIN LATERAL (
      SELECT EXTRACT(epoch FROM date_trunc('minute', p_now AT TIME ZONE interval '3 hours')::time)::integer / 60 AS minute,
        CASE WHEN (w->>'daily')::boolean THEN EXTRACT(epoch FROM (w->>'starts')::time)::integer / 60 END AS first,
        CASE WHEN (w->>'daily')::boolean THEN EXTRACT(epoch FROM (w->>'ends')::time)::integer / 60 END AS last) t
    WHERE CASE WHEN (w->>'daily')::boolean THEN (t.minute - t.first + 1440) % 1440 < (t.last - t.first + 1440) % 1440
               ELSE gateway.moment_of(w->>'starts') <= p_now AND p_now < gateway.moment_of(w->>'ends') END)
$$;

-- The connections whose due work waits for something that more workers wouldn't hasten: `entirely` where the connection is
-- paused or its breaker isn't closed; else new money alone, where payouts are halted or the provider is in maintenance.
CREATE FUNCTION gateway.lanes_held(p_now timestamptz) RETURNS TABLE (lane uuid, entirely boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.id, s.entirely FROM (
    SELECT c.id, c.state <> 'active' OR h.state <> 'closed' AS entirely,
      EXISTS (SELECT FROM gateway.halt w WHERE w.livemode = c.livemode AND w.what = 'payouts') OR gateway.is_closed(c.policy, p_now) AS new_money
    FROM gateway.connection c JOIN gateway.connection_health h ON h.connection_id = c.id) s
  WHERE s.entirely OR s.new_money
$$;

-- When the oldest row that a queue could do now was due; NULL when there is none. Rows on their way through the queue still
-- wait. With `p_failed` also rows that failed before. Of each lane the oldest five hundred are looked at.
CREATE FUNCTION gateway.oldest_due(p_queue text, p_now timestamptz, p_failed boolean) RETURNS timestamptz
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  new_money constant text[] := ARRAY['payout.submit', 'refund.submit', 'own.submit'];
  oldest timestamptz;
BEGIN
  WITH RECURSIVE lanes (lane) AS (
    (SELECT o.lane FROM gateway.outbox o
     WHERE o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL ORDER BY o.lane LIMIT 1)
    UNION ALL
    SELECT (SELECT o.lane FROM gateway.outbox o
            WHERE o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL
              AND o.lane > l.lane ORDER BY o.lane LIMIT 1)
    FROM lanes l WHERE l.lane IS NOT NULL),
  held AS MATERIALIZED (SELECT s.lane, s.entirely FROM gateway.lanes_held(p_now) s)
  SELECT min(due.at) INTO oldest FROM (
    SELECT (SELECT r.due_at FROM (
        SELECT o.due_at, o.failures FROM gateway.outbox o
        WHERE o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NULL AND o.due_at <= p_now
        ORDER BY o.due_at LIMIT 500) r
      WHERE p_failed OR r.failures = 0 ORDER BY r.due_at LIMIT 1) AS at
    UNION ALL
    SELECT (SELECT r.due_at FROM (
        SELECT o.due_at, o.failures, o.kind FROM gateway.outbox o
        WHERE o.queue = p_queue AND o.lane = l.lane AND o.done_at IS NULL AND o.lease_until IS NULL AND o.due_at <= p_now
        ORDER BY o.due_at LIMIT 500) r
      WHERE (p_failed OR r.failures = 0) AND (h.lane IS NULL OR r.kind <> ALL (new_money)) ORDER BY r.due_at LIMIT 1)
    FROM lanes l LEFT JOIN held h ON h.lane = l.lane WHERE l.lane IS NOT NULL AND h.entirely IS NOT TRUE
    UNION ALL
    SELECT min(o.due_at) FROM gateway.outbox o LEFT JOIN held h ON h.lane = o.lane
    WHERE o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NOT NULL AND o.due_at <= p_now
      AND (o.holder IS NULL OR o.lease_until <= clock_timestamp()) AND (p_failed OR o.failures = 0)
      AND h.entirely IS NOT TRUE AND (h.lane IS NULL OR o.kind <> ALL (new_money))) due;
  RETURN oldest;
END $$;

-- How many due rows of a queue wait for a connection that is paused, broken, in maintenance or halted.
CREATE FUNCTION gateway.held_due(p_queue text, p_now timestamptz) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(sum(n.rows), 0)::bigint FROM gateway.lanes_held(p_now) h CROSS JOIN LATERAL (
    SELECT count(*) AS rows FROM gateway.outbox o
    WHERE o.queue = p_queue AND o.lane = h.lane AND o.done_at IS NULL AND o.lease_until IS NULL AND o.due_at <= p_now
      AND (h.entirely OR o.kind IN ('payout.submit', 'refund.submit', 'own.submit'))) n
$$;

-- Seconds that the oldest due work of the urgent queues has waited: what web looks at before it sheds load.
CREATE FUNCTION gateway.backlog_s(p_now timestamptz) RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(GREATEST(0, EXTRACT(epoch FROM p_now
    - LEAST(gateway.oldest_due('pay', p_now, false), gateway.oldest_due('ask', p_now, false))))::integer, 0)
$$;

-- All that metrics show, as samples: a name, its labels, a number. Nothing of a business's is in it.
CREATE FUNCTION gateway.metrics(p_now timestamptz) RETURNS TABLE (name text, labels jsonb, value double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH bounds (le, i) AS (VALUES ('0.1', 1), ('0.25', 2), ('0.5', 3), ('1', 4), ('2.5', 5), ('5', 6), ('10', 7), ('30', 8), ('+Inf', 9)),
  called AS (SELECT t.*, jsonb_build_object('connection', gateway.public_id('con', t.connection_id), 'operation', t.operation) AS tags
             FROM gateway.call_tally t),
  by_operation AS (SELECT c.tags, sum(c.calls) AS calls, sum(c.seconds) AS seconds FROM called c GROUP BY c.tags),
  asked AS (SELECT t.*, jsonb_build_object('method', t.method, 'route', t.route) AS tags FROM gateway.request_tally t),
  by_route AS (SELECT a.tags, sum(a.calls) AS calls, sum(a.seconds) AS seconds FROM asked a GROUP BY a.tags),
  doubt AS (
    SELECT 'payment' AS kind, a.submitted_at AS since FROM gateway.attempt a WHERE a.state IN ('unknown', 'unresolved')
    UNION ALL
    SELECT 'payout', p.submitted_at FROM gateway.payout_attempt p WHERE p.state IN ('submitting', 'in_transit', 'unknown') AND p.state = 'unknown'
    UNION ALL
    SELECT 'refund', r.submitted_at FROM gateway.refund_attempt r WHERE r.state IN ('submitting', 'submitted', 'unknown') AND r.state = 'unknown'
    UNION ALL
    SELECT 'own_transfer', o.updated FROM gateway.own_transfer o WHERE o.state = 'unknown'),
  ages (age, least, most) AS (VALUES ('under_5m', interval '-100 years', interval '5 minutes'), ('under_1h', interval '5 minutes', interval '1 hour'),
    ('under_1d', interval '1 hour', interval '1 day'), ('over_1d', interval '1 day', interval '1000 years')),
  stands AS (
    SELECT jsonb_build_object('float', gateway.public_id('flt', f.id), 'livemode', f.livemode) AS tags, s.held, s.promised, s.low_units,
      b.units, b.is_owed, b.at
    FROM gateway.float f CROSS JOIN LATERAL gateway.float_standing(f.id) s
    LEFT JOIN LATERAL (SELECT w.* FROM gateway.float_balance w WHERE w.float_id = f.id ORDER BY w.at DESC LIMIT 1) b ON true)
  SELECT 'gateway_provider_calls_total', c.tags || jsonb_build_object('outcome', c.outcome), c.calls::double precision FROM called c
  UNION ALL
  SELECT 'gateway_provider_call_seconds_bucket', o.tags || jsonb_build_object('le', b.le),
    CASE WHEN b.i = 9 THEN o.calls ELSE (SELECT sum(c.buckets[b.i]) FROM called c WHERE c.tags = o.tags) END::double precision
  FROM by_operation o CROSS JOIN bounds b
  UNION ALL SELECT 'gateway_provider_call_seconds_sum', o.tags, o.seconds::double precision FROM by_operation o
  UNION ALL SELECT 'gateway_provider_call_seconds_count', o.tags, o.calls::double precision FROM by_operation o
  UNION ALL SELECT 'gateway_attempts_unknown', jsonb_build_object('kind', k.kind, 'age', g.age),
    (SELECT count(*) FROM doubt d WHERE d.kind = k.kind AND p_now - d.since >= g.least AND p_now - d.since < g.most)::double precision
  FROM (VALUES ('payment'), ('payout'), ('refund'), ('own_transfer')) AS k (kind) CROSS JOIN ages g
  UNION ALL SELECT 'gateway_float_books_units', s.tags, s.held::double precision FROM stands s
  UNION ALL SELECT 'gateway_float_promised_units', s.tags, s.promised::double precision FROM stands s
  UNION ALL SELECT 'gateway_float_threshold_units', s.tags, s.low_units::double precision FROM stands s WHERE s.low_units IS NOT NULL
  UNION ALL SELECT 'gateway_float_provider_units', s.tags, (CASE WHEN s.is_owed THEN -s.units ELSE s.units END)::double precision
  FROM stands s WHERE s.units IS NOT NULL
  UNION ALL SELECT 'gateway_float_provider_age_seconds', s.tags, GREATEST(EXTRACT(epoch FROM p_now - s.at), 0)::double precision
  FROM stands s WHERE s.at IS NOT NULL
  UNION ALL SELECT 'gateway_due_lag_seconds', jsonb_build_object('queue', q.queue),
    COALESCE(GREATEST(EXTRACT(epoch FROM p_now - gateway.oldest_due(q.queue, p_now, true)), 0), 0)::double precision
  FROM (VALUES ('pay'), ('ask'), ('send'), ('slow'), ('tend')) AS q (queue)
  UNION ALL SELECT 'gateway_due_held', jsonb_build_object('queue', q.queue), gateway.held_due(q.queue, p_now)::double precision
  FROM (VALUES ('pay'), ('ask')) AS q (queue)
  UNION ALL SELECT 'gateway_webhooks_waiting', '{}', ((SELECT count(*) FROM gateway.outbox o WHERE o.queue IN ('send', 'slow')
      AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL AND o.due_at <= p_now)
    + (SELECT count(*) FROM gateway.outbox o WHERE o.queue IN ('send', 'slow')
      AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NULL AND o.due_at <= p_now)
    + (SELECT count(*) FROM gateway.outbox o WHERE o.queue IN ('send', 'slow')
      AND o.done_at IS NULL AND o.lease_until IS NOT NULL AND o.due_at <= p_now))::double precision
  UNION ALL SELECT 'gateway_alerts_open', jsonb_build_object('kind', a.kind), count(*)::double precision FROM gateway.alert a
  WHERE a.resolved_at IS NULL GROUP BY a.kind
  UNION ALL SELECT 'gateway_connection_paused', jsonb_build_object('connection', gateway.public_id('con', c.id), 'livemode', c.livemode),
    (c.state = 'paused')::integer::double precision FROM gateway.connection c
  UNION ALL SELECT 'gateway_halted', jsonb_build_object('what', w.what, 'livemode', m.livemode),
    (EXISTS (SELECT FROM gateway.halt h WHERE h.what = w.what AND h.livemode = m.livemode))::integer::double precision
  FROM (VALUES ('payments'), ('payouts')) AS w (what) CROSS JOIN (VALUES (false), (true)) AS m (livemode)
  UNION ALL SELECT 'gateway_http_requests_total', a.tags || jsonb_build_object('status', a.status::text), a.calls::double precision FROM asked a
  UNION ALL
  SELECT 'gateway_http_request_seconds_bucket', r.tags || jsonb_build_object('le', b.le),
    CASE WHEN b.i = 9 THEN r.calls ELSE (SELECT sum(a.buckets[b.i]) FROM asked a WHERE a.tags = r.tags) END::double precision
  FROM by_route r CROSS JOIN bounds b
  UNION ALL SELECT 'gateway_http_request_seconds_sum', r.tags, r.seconds::double precision FROM by_route r
  UNION ALL SELECT 'gateway_http_request_seconds_count', r.tags, r.calls::double precision FROM by_route r
$$;

REVOKE ALL ON FUNCTION gateway.moment_of, gateway.is_closed, gateway.lanes_held, gateway.oldest_due, gateway.held_due, gateway.backlog_s, gateway.metrics FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.backlog_s, gateway.metrics TO gateway_app, gateway_worker, gateway_operator;
RESET ROLE;
