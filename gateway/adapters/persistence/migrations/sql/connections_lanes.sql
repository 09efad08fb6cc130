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
    WHEN NEW.kind = 'connection.pull' THEN NEW.subject_id
  END;
  RETURN NEW;
END $$;
CREATE TRIGGER outbox_lane BEFORE INSERT ON gateway.outbox FOR EACH ROW
  WHEN (NEW.lane IS NULL AND NEW.kind IN ('webhook.deliver', 'webhook.deliver_slowly', 'attempt.submit', 'attempt.look_up', 'payout.submit',
    'payout.look_up', 'payout.repeat', 'refund.submit', 'refund.look_up', 'money.look_up', 'connection.pull'))
  EXECUTE FUNCTION gateway.set_lane();

-- Take due rows for the queues, as many of each as it has room for: rows whose lease ran out before rows never taken, oldest
-- first. The lease is short: it covers the way through the queue, and what is lost there is sent again after it.
-- Among lanes the one whose oldest row has waited longest comes first. Of each lane at most its share of the queue's workers is on its way at a time; of a connection's
-- at most its declared calls in flight over all queues, and its calls a second. Of one whose breaker is open nothing goes
-- until a probe is due, and then one row. `p_shares` goes with the queues; codes, caps and rates with one another.
CREATE FUNCTION gateway.claim_due(p_queues text[], p_rooms integer[], p_lease_s integer, p_now timestamptz,
                                  p_shares integer[] DEFAULT NULL, p_codes text[] DEFAULT NULL, p_caps integer[] DEFAULT NULL, p_rates integer[] DEFAULT NULL)
  RETURNS TABLE (id uuid, kind text, subject_id uuid, business_id uuid, livemode boolean, generation integer, dispatches integer,
                 holder integer, failures integer)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  room integer;
  taken integer;
BEGIN
  FOR i IN 1..cardinality(p_queues) LOOP
    room := p_rooms[i];
    CONTINUE WHEN room <= 0;
    RETURN QUERY
      WITH picked AS (
        SELECT o.id FROM gateway.outbox o
        WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until <= clock_timestamp() AND o.due_at <= p_now
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
      WITH RECURSIVE lanes (lane) AS (
        (SELECT o.lane FROM gateway.outbox o
         WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL
         ORDER BY o.lane LIMIT 1)
        UNION ALL
        SELECT (SELECT o.lane FROM gateway.outbox o
                WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until IS NULL AND o.lane IS NOT NULL
                  AND o.lane > l.lane ORDER BY o.lane LIMIT 1)
        FROM lanes l WHERE l.lane IS NOT NULL),
      said AS (
        SELECT l.lane, COALESCE(p_shares[i], 2) AS share, d.cap, d.rate, h.connection_id AS connection,
          CASE WHEN d.rate IS NOT NULL
               THEN LEAST(d.rate, h.calls + d.rate * EXTRACT(epoch FROM clock_timestamp() - h.calls_at)) END AS calls,
          CASE WHEN h.hold_until > p_now THEN 0
               WHEN h.state IN ('open', 'half_open') THEN CASE WHEN h.probe_at <= p_now THEN 1 ELSE 0 END END AS most
        FROM lanes l
        LEFT JOIN gateway.connection_health h ON h.connection_id = l.lane
        LEFT JOIN gateway.connection c ON c.id = l.lane
        LEFT JOIN LATERAL (SELECT u.cap, u.rate FROM unnest(p_codes, p_caps, p_rates) AS u (code, cap, rate) WHERE u.code = c.code) d ON true
        WHERE l.lane IS NOT NULL),
      free AS (
        SELECT s.lane, s.connection, s.calls, s.rate,
          LEAST(s.share - (SELECT count(*) FROM gateway.outbox b WHERE b.lane = s.lane AND b.queue = p_queues[i]
                             AND b.done_at IS NULL AND b.lease_until IS NOT NULL),
                s.cap - (SELECT count(*) FROM gateway.outbox b WHERE b.lane = s.lane AND b.done_at IS NULL AND b.lease_until IS NOT NULL),
                floor(s.calls)::bigint, s.most) AS n
        FROM said s),
      heads AS (
        SELECT h.id, h.due_at FROM free f CROSS JOIN LATERAL (
          SELECT o.id, o.due_at FROM gateway.outbox o
          WHERE o.queue = p_queues[i] AND o.lane = f.lane AND o.done_at IS NULL AND o.lease_until IS NULL AND o.due_at <= p_now
          ORDER BY o.due_at LIMIT GREATEST(f.n, 0)) h
        ORDER BY h.due_at LIMIT room),
      picked AS (
        SELECT o.id FROM gateway.outbox o JOIN heads h ON h.id = o.id
        WHERE o.done_at IS NULL AND o.lease_until IS NULL FOR UPDATE OF o SKIP LOCKED),
      claimed AS (
        UPDATE gateway.outbox o SET lease_until = clock_timestamp() + make_interval(secs => p_lease_s),
          dispatches = o.dispatches + 1
        FROM picked WHERE o.id = picked.id
        RETURNING o.*),
      -- What they spend of the connection's calls, what first tries earn for later ones, and the probe of an open breaker.
      spent AS (
        UPDATE gateway.connection_health h SET
          calls = CASE WHEN f.rate IS NULL THEN h.calls ELSE GREATEST(f.calls - n.taken, 0) END,
          calls_at = clock_timestamp(),
          retries = LEAST(h.retries + 0.2 * n.firsts, 20),
          state = CASE WHEN h.state = 'open' THEN 'half_open' ELSE h.state END,
          probe_at = CASE WHEN h.state IN ('open', 'half_open') THEN p_now + interval '75 seconds' END
        FROM (SELECT c.lane, count(*) AS taken, count(*) FILTER (WHERE c.dispatches = 1 AND c.kind LIKE '%.submit') AS firsts
              FROM claimed c GROUP BY c.lane) n
        JOIN free f ON f.lane = n.lane AND f.connection IS NOT NULL
        WHERE h.connection_id = n.lane)
      SELECT c.id, c.kind, c.subject_id, c.business_id, c.livemode, c.generation, c.dispatches, c.holder, c.failures
      FROM claimed c ORDER BY c.due_at, c.id;
  END LOOP;
END $$;

UPDATE gateway.outbox SET queue = 'ask' WHERE kind = 'connection.pull' AND done_at IS NULL;

REVOKE ALL ON FUNCTION gateway.set_lane, gateway.claim_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.claim_due TO gateway_worker, gateway_operator;
RESET ROLE;
