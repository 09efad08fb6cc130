-- Whose lane due work goes in, and how due rows are claimed for the queues.
SET ROLE gateway_owner;

-- The lane of what goes over a connection is the connection, and of a delivery its endpoint.
CREATE FUNCTION gateway.set_lane() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.lane := CASE
    WHEN NEW.kind IN ('webhook.deliver', 'webhook.deliver_slowly') THEN
      (SELECT d.endpoint_id FROM gateway.delivery d WHERE d.id = NEW.subject_id)
    -- An address to pay to calls nobody.
    WHEN NEW.kind IN ('attempt.submit', 'attempt.look_up') THEN
      (SELECT a.connection_id FROM gateway.attempt a WHERE a.id = NEW.subject_id AND NOT a.pay_to)
    WHEN NEW.kind IN ('payout.look_up', 'payout.repeat') THEN
      (SELECT a.connection_id FROM gateway.payout_attempt a WHERE a.id = NEW.subject_id)
    WHEN NEW.kind = 'payout.submit' THEN
      (SELECT a.connection_id FROM gateway.payout_attempt a WHERE a.business_id = NEW.business_id AND a.livemode = NEW.livemode
       AND a.payout_id = NEW.subject_id ORDER BY a.number DESC LIMIT 1)
    WHEN NEW.kind = 'refund.look_up' THEN
      (SELECT a.connection_id FROM gateway.refund_attempt a WHERE a.id = NEW.subject_id)
    WHEN NEW.kind = 'refund.submit' THEN COALESCE(
      (SELECT a.connection_id FROM gateway.refund_attempt a WHERE a.business_id = NEW.business_id AND a.livemode = NEW.livemode
       AND a.refund_id = NEW.subject_id ORDER BY a.number DESC LIMIT 1),
      (SELECT a.connection_id FROM gateway.refund r JOIN gateway.attempt a ON a.business_id = r.business_id
         AND a.livemode = r.livemode AND a.payment_id = r.payment_id
       WHERE r.id = NEW.subject_id ORDER BY a.number DESC LIMIT 1))
    WHEN NEW.kind = 'money.look_up' THEN
      (SELECT x.connection_id FROM gateway.external_record x WHERE x.id = NEW.subject_id)
    WHEN NEW.kind IN ('own.submit', 'own.look_up') THEN
      (SELECT t.connection_id FROM gateway.own_transfer t WHERE t.id = NEW.subject_id)
    WHEN NEW.kind IN ('connection.pull', 'connection.balance') THEN NEW.subject_id
  END;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_lane BEFORE INSERT ON gateway.outbox FOR EACH ROW
  WHEN (NEW.lane IS NULL AND NEW.kind IN ('webhook.deliver', 'webhook.deliver_slowly', 'attempt.submit', 'attempt.look_up', 'payout.submit',
    'payout.look_up', 'payout.repeat', 'refund.submit', 'refund.look_up', 'money.look_up', 'connection.pull', 'connection.balance',
    'own.submit', 'own.look_up'))
  EXECUTE FUNCTION gateway.set_lane();

-- The part of claim_due that is about the lanes of one queue, under its lock. Of a lane, rows whose lease ran out go before
-- rows never taken. How many go: of a lane no more than `p_share` on their way in the queue; of a connection's lane also no
-- more than its declared calls in flight over all queues and its calls a second; of one whose breaker is open nothing until
-- a probe is due, and then one row, beside which none goes while a worker is at it and nothing is known of it.
-- A probe goes beside calls that hang and keep the lane's share, or nobody would learn of the provider's return before they
-- have run into their ends; but only while fewer than eight rows of all lanes are on their way in the queue, which has nine
-- workers with those that stand in: connections that hang never get all of them. Within the same bound a lane that is well
-- again isn't kept from its share by the calls that its outage left hanging.
CREATE FUNCTION gateway.claim_lanes(p_queue text, p_room integer, p_share integer, p_lease_s integer, p_now timestamptz,
                                    p_codes text[], p_caps integer[], p_rates integer[]) RETURNS SETOF gateway.outbox
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  at constant timestamptz := clock_timestamp();
BEGIN
  RETURN QUERY
    WITH RECURSIVE waiting (lane) AS (
      (SELECT o.lane FROM gateway.outbox o
       WHERE o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL
       ORDER BY o.lane LIMIT 1)
      UNION ALL
      SELECT (SELECT o.lane FROM gateway.outbox o
              WHERE o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL
                AND o.lane > w.lane ORDER BY o.lane LIMIT 1)
      FROM waiting w WHERE w.lane IS NOT NULL),
    leased AS MATERIALIZED (
      SELECT o.lane, count(*) FILTER (WHERE o.lease_until > at AND o.queue = p_queue) AS here,
        count(*) FILTER (WHERE o.lease_until > at AND h.hangs AND o.queue = p_queue) AS hang_here,
        count(*) FILTER (WHERE o.lease_until > at AND NOT h.hangs) AS anywhere, bool_or(o.lease_until <= at AND o.queue = p_queue) AS is_late
      FROM gateway.outbox o
      -- A worker has been at it for ten seconds: another one stands in for it.
      CROSS JOIN LATERAL (SELECT o.holder IS NOT NULL AND o.lease_until < at + make_interval(secs => o.lease_s - 10) AS hangs) h
      WHERE o.done_at IS NULL AND o.lease_until IS NOT NULL AND o.lane IS NOT NULL GROUP BY o.lane),
    lanes AS (
      SELECT w.lane FROM waiting w WHERE w.lane IS NOT NULL
      UNION SELECT b.lane FROM leased b WHERE b.is_late),
    said AS MATERIALIZED (
      SELECT l.lane, h.connection_id AS connection, d.cap, d.rate, COALESCE(b.here, 0) AS here, COALESCE(b.anywhere, 0) AS anywhere,
        COALESCE(b.hang_here, 0) AS hang_here,
        CASE WHEN d.rate IS NOT NULL
             THEN LEAST(d.rate, h.calls + d.rate * EXTRACT(epoch FROM at - h.calls_at)) END AS calls,
        CASE WHEN h.hold_until > p_now THEN 0
             WHEN h.state = 'open' THEN (h.probe_at <= p_now)::integer
             WHEN h.state = 'half_open' THEN (NOT EXISTS (SELECT FROM gateway.outbox p
               WHERE p.id = h.probe_id AND p.done_at IS NULL AND p.lease_until > at))::integer END AS most
      FROM lanes l
      LEFT JOIN leased b ON b.lane = l.lane
      LEFT JOIN gateway.connection_health h ON h.connection_id = l.lane
      LEFT JOIN gateway.connection c ON c.id = l.lane
      LEFT JOIN LATERAL (SELECT u.cap, u.rate FROM unnest(p_codes, p_caps, p_rates) AS u (code, cap, rate) WHERE u.code = c.code) d ON true),
    free AS (
      SELECT s.lane, CASE WHEN s.most IS NULL THEN LEAST(p_share - s.here + s.hang_here, s.cap - s.anywhere, floor(s.calls)::bigint,
            GREATEST(p_share - s.here, 8 - (SELECT sum(b.here) FROM leased b)))
        ELSE LEAST(GREATEST(p_share - s.here, 8 - (SELECT sum(b.here) FROM leased b)
               - count(*) FILTER (WHERE s.most > 0 AND s.here >= p_share) OVER (ORDER BY s.lane ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
             floor(s.calls)::bigint, s.most) END AS n FROM said s),
    heads AS (
      SELECT h.id, h.due_at FROM free f CROSS JOIN LATERAL (
        (SELECT o.id, o.due_at, true AS is_late FROM gateway.outbox o
         WHERE o.lane = f.lane AND o.queue = p_queue AND o.done_at IS NULL AND o.lease_until <= at AND o.due_at <= p_now
         ORDER BY o.lease_until LIMIT f.n)
        UNION ALL
        (SELECT o.id, o.due_at, false FROM gateway.outbox o
         WHERE o.lane = f.lane AND o.queue = p_queue AND o.done_at IS NULL AND o.lease_until IS NULL AND o.due_at <= p_now
         ORDER BY o.due_at LIMIT f.n)
        ORDER BY is_late DESC, due_at LIMIT f.n) h
      WHERE f.n > 0 ORDER BY h.due_at LIMIT p_room),
    picked AS (
      SELECT o.id FROM gateway.outbox o JOIN heads h ON h.id = o.id
      WHERE o.done_at IS NULL AND (o.lease_until IS NULL OR o.lease_until <= at) FOR UPDATE OF o SKIP LOCKED),
    claimed AS (
      UPDATE gateway.outbox o SET lease_until = clock_timestamp() + make_interval(secs => p_lease_s), holder = NULL,
        dispatches = o.dispatches + 1
      FROM picked WHERE o.id = picked.id
      RETURNING o.*),
    -- What they spend of the connection's calls, what first tries earn for later ones, and the probe of an open breaker.
    spent AS (
      UPDATE gateway.connection_health h SET
        calls = CASE WHEN s.rate IS NULL THEN h.calls ELSE GREATEST(s.calls - n.taken, 0) END,
        calls_at = clock_timestamp(),
        retries = LEAST(h.retries + 0.2 * n.firsts, 20),
        state = CASE WHEN h.state = 'open' THEN 'half_open' ELSE h.state END,
        probe_id = CASE WHEN h.state IN ('open', 'half_open') THEN n.one END,
        probe_at = CASE WHEN h.state IN ('open', 'half_open') THEN p_now + make_interval(secs => p_lease_s + n.lease_s) END
      FROM (SELECT c.lane, count(*) AS taken, count(*) FILTER (WHERE c.dispatches = 1 AND c.kind LIKE '%.submit') AS firsts,
              (array_agg(c.id))[1] AS one, max(c.lease_s) AS lease_s
            FROM claimed c GROUP BY c.lane) n
      JOIN said s ON s.lane = n.lane AND s.connection IS NOT NULL
      WHERE h.connection_id = n.lane)
    SELECT c.* FROM claimed c ORDER BY c.due_at, c.id;
END $$;

-- Take due rows for the queues, as many of each as it has room for: rows without a lane, those whose lease ran out before
-- those never taken, oldest first; then the lanes, that whose oldest row has waited longest first. The lease is short: it
-- covers the way through the queue, and what is lost there is sent again after it. `p_shares` goes with the queues; codes,
-- caps and rates with one another.
CREATE FUNCTION gateway.claim_due(p_queues text[], p_rooms integer[], p_lease_s integer, p_now timestamptz, p_shares integer[] DEFAULT NULL,
                                  p_codes text[] DEFAULT NULL, p_caps integer[] DEFAULT NULL, p_rates integer[] DEFAULT NULL)
  RETURNS TABLE (id uuid, kind text, subject_id uuid, business_id uuid, livemode boolean, generation integer, dispatches integer,
                 holder integer, failures integer)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  room integer;
  taken integer;
  at timestamptz;
BEGIN
  FOR i IN 1..cardinality(p_queues) LOOP
    room := p_rooms[i];
    at := clock_timestamp();
    -- Mostly nothing may go in a queue, and to see that costs a hundredth of looking at its lanes.
    CONTINUE WHEN room <= 0 OR NOT (
      EXISTS (SELECT FROM gateway.outbox o WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until IS NULL
              AND o.lane IS NULL AND o.due_at <= p_now)
      OR EXISTS (SELECT FROM gateway.outbox o WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until IS NULL
                 AND o.lane IS NOT NULL AND o.due_at <= p_now)
      OR EXISTS (SELECT FROM gateway.outbox o WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until <= at));
    RETURN QUERY
      WITH picked AS (
        SELECT o.id FROM gateway.outbox o
        WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until <= at AND o.lane IS NULL AND o.due_at <= p_now
        ORDER BY o.lease_until LIMIT room FOR UPDATE SKIP LOCKED)
      UPDATE gateway.outbox o SET lease_until = clock_timestamp() + make_interval(secs => p_lease_s), holder = NULL,
        dispatches = o.dispatches + 1
      FROM picked WHERE o.id = picked.id
      RETURNING o.id, o.kind, o.subject_id, o.business_id, o.livemode, o.generation, o.dispatches, o.holder, o.failures;
    GET DIAGNOSTICS taken = ROW_COUNT;
    room := room - taken;
    CONTINUE WHEN room <= 0;
    RETURN QUERY
      WITH picked AS (
        SELECT o.id FROM gateway.outbox o
        WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NULL AND o.due_at <= p_now
        ORDER BY o.due_at LIMIT room FOR UPDATE SKIP LOCKED),
      claimed AS (
        UPDATE gateway.outbox o SET lease_until = clock_timestamp() + make_interval(secs => p_lease_s),
          dispatches = o.dispatches + 1
        FROM picked WHERE o.id = picked.id
        RETURNING o.*)
      SELECT c.id, c.kind, c.subject_id, c.business_id, c.livemode, c.generation, c.dispatches, c.holder, c.failures
      FROM claimed c ORDER BY c.due_at, c.id;
    GET DIAGNOSTICS taken = ROW_COUNT;
    room := room - taken;
    -- Two relays that count one lane at the same moment would overfill it: the second leaves lanes to the first.
    CONTINUE WHEN room <= 0 OR NOT pg_try_advisory_xact_lock(1786, 0);
    RETURN QUERY
      SELECT c.id, c.kind, c.subject_id, c.business_id, c.livemode, c.generation, c.dispatches, c.holder, c.failures
      FROM gateway.claim_lanes(p_queues[i], room, COALESCE(p_shares[i], 2), p_lease_s, p_now, p_codes, p_caps, p_rates) c;
  END LOOP;
END $$;

-- Start on a row: it is `p_holder`'s alone until the lease that begins now runs out, or the holder's session ends.
-- Nothing when it is done, not due, or in another worker's hands; nor when its connection's breaker opened while it waited
-- in its queue: it is claimed again when its turn comes.
CREATE FUNCTION gateway.start_due(p_id uuid, p_holder integer, p_now timestamptz)
  RETURNS TABLE (id uuid, kind text, subject_id uuid, business_id uuid, livemode boolean, generation integer, dispatches integer,
                 holder integer, failures integer)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE gateway.outbox o SET claimed = o.generation, holder = p_holder,
    lease_until = clock_timestamp() + make_interval(secs => o.lease_s)
  WHERE o.id = p_id AND o.done_at IS NULL AND o.due_at <= p_now
    AND (o.holder IS NULL OR o.lease_until IS NULL OR o.lease_until <= clock_timestamp())
    AND NOT EXISTS (SELECT FROM gateway.connection_health h
      WHERE h.connection_id = o.lane AND h.state <> 'closed' AND h.probe_id IS DISTINCT FROM o.id)
  RETURNING o.id, o.kind, o.subject_id, o.business_id, o.livemode, o.generation, o.dispatches, o.holder, o.failures
$$;

UPDATE gateway.outbox SET queue = 'ask' WHERE kind = 'connection.pull' AND done_at IS NULL;

REVOKE ALL ON FUNCTION gateway.set_lane, gateway.claim_lanes, gateway.claim_due, gateway.start_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.claim_due, gateway.start_due TO gateway_worker, gateway_operator;
RESET ROLE;
