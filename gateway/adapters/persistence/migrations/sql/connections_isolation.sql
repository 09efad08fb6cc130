-- What isolates one connection's faults from the others: its lane in the outbox, its calls a second, its breaker.
SET ROLE gateway_owner;

CREATE TABLE gateway.connection_health (
  connection_id uuid PRIMARY KEY,
  livemode      boolean NOT NULL,
  state         text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
  recent        text NOT NULL DEFAULT '',      -- what the newest calls came to since the first fault: f a fault, a an answer
  opens         integer NOT NULL DEFAULT 0,    -- how often it opened since it was last closed
  opened_at     timestamptz,
  probe_at      timestamptz,                   -- by the unit's clock: one call is let through then
  reason        text,
  hold_until    timestamptz,                   -- the provider asked for a pause
  calls         numeric NOT NULL DEFAULT 1,    -- calls that may be made at once
  calls_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  retries       numeric NOT NULL DEFAULT 10,   -- tries that may be repeated soon; each first try earns a fifth of one
  CONSTRAINT connection_health_open CHECK (state = 'closed' OR (opened_at IS NOT NULL AND probe_at IS NOT NULL)),
  CONSTRAINT connection_health_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode)
);

CREATE FUNCTION gateway.add_health() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO gateway.connection_health (connection_id, livemode) VALUES (NEW.id, NEW.livemode);
  RETURN NEW;
END $$;
CREATE TRIGGER connection_health AFTER INSERT ON gateway.connection FOR EACH ROW EXECUTE FUNCTION gateway.add_health();

-- Whether nothing is known against a connection: what is asked after every call that was answered.
CREATE FUNCTION gateway.is_well(p_connection uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM gateway.connection_health h WHERE h.connection_id = p_connection AND h.state = 'closed' AND h.recent = '')
$$;

-- May a try be repeated soon? What a repeat costs is spent; without any left it must wait for longer.
CREATE FUNCTION gateway.spend_retry(p_connection uuid) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE gateway.connection_health SET retries = retries - 1 WHERE connection_id = p_connection AND retries >= 1;
  RETURN FOUND;
END $$;

-- End an alert whose matter ended by itself.
CREATE FUNCTION gateway.settle_degraded(p_connection uuid) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE gateway.alert SET resolved_at = clock_timestamp()
  WHERE kind = 'connection_degraded' AND subject_id = p_connection AND resolved_at IS NULL
$$;

-- Seconds that the oldest due work of the urgent queues has waited: what web looks at before it sheds load.
CREATE FUNCTION gateway.backlog_s(p_now timestamptz) RETURNS integer
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(GREATEST(0, EXTRACT(epoch FROM p_now - min(o.due_at)))::integer, 0) FROM gateway.outbox o
  LEFT JOIN gateway.connection_health h ON h.connection_id = o.lane
  LEFT JOIN gateway.connection c ON c.id = o.lane
  WHERE o.queue IN ('pay', 'ask') AND o.done_at IS NULL AND o.lease_until IS NULL AND o.failures = 0 AND o.due_at <= p_now
    AND COALESCE(h.state, 'closed') = 'closed' AND COALESCE(c.state, 'active') = 'active'
$$;

-- The lane of what goes over a connection is the connection.
DROP TRIGGER outbox_lane ON gateway.outbox;
CREATE OR REPLACE FUNCTION gateway.set_lane() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- Insert, or hurry the open row, as before; whoever puts it may know the lane.
DROP FUNCTION gateway.put_due(uuid, boolean, text, text, integer, uuid, timestamptz);
CREATE FUNCTION gateway.put_due(p_business uuid, p_livemode boolean, p_kind text, p_queue text, p_lease_s integer,
                                p_subject uuid, p_due_at timestamptz, p_lane uuid DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO gateway.outbox AS o (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at, lane)
  VALUES (gateway.new_id(), p_business, p_livemode, p_kind, p_queue, p_lease_s, p_subject, p_due_at, p_lane)
  ON CONFLICT (kind, subject_id) WHERE done_at IS NULL DO UPDATE SET
    due_at = CASE WHEN o.holder IS NOT NULL AND o.lease_until > clock_timestamp() AND o.claimed = o.generation
                  THEN excluded.due_at ELSE LEAST(o.due_at, excluded.due_at) END,
    lease_until = CASE WHEN o.lease_until > clock_timestamp() THEN o.lease_until END,
    holder = CASE WHEN o.lease_until > clock_timestamp() THEN o.holder END,
    lane = COALESCE(excluded.lane, o.lane),
    generation = o.generation + 1;
END $$;

CREATE OR REPLACE FUNCTION gateway.close_unit(p_business uuid, p_livemode boolean, p_now timestamptz, p_events jsonb, p_due jsonb,
                                   p_record uuid, p_status integer, p_answer bytea) RETURNS boolean
  LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  one jsonb;
  told_of uuid;
  due_now boolean := false;
BEGIN
  FOR one IN SELECT e FROM pg_catalog.jsonb_array_elements(p_events) AS e LOOP
    INSERT INTO gateway.event (id, business_id, livemode, created, type, object_id, sequence, payload)
    SELECT (one->>'id')::uuid, p_business, p_livemode, p_now, one->>'type', (one->>'object_id')::uuid, s.next,
           one->'payload' || pg_catalog.jsonb_build_object('sequence', s.next)
    FROM (SELECT COALESCE((SELECT max(v.sequence) FROM gateway.event v
                           WHERE v.business_id = p_business AND v.livemode = p_livemode AND v.object_id = (one->>'object_id')::uuid),
                          (SELECT w.last FROM gateway.event_swept w
                           WHERE w.business_id = p_business AND w.livemode = p_livemode AND w.object_id = (one->>'object_id')::uuid),
                          0) + 1 AS next) AS s
    RETURNING event.id INTO told_of;
    -- Nobody listens, mostly; to find that out costs less than to write to nobody.
    IF EXISTS (SELECT FROM gateway.webhook_endpoint w WHERE w.business_id = p_business AND w.livemode = p_livemode
               AND w.state <> 'disabled' AND w.deleted_at IS NULL) THEN
      WITH told AS (
        INSERT INTO gateway.delivery (id, business_id, livemode, created, updated, version, event_id, endpoint_id, state, tries, next_try_at)
        SELECT gateway.new_id(), p_business, p_livemode, p_now, p_now, 1, told_of, w.id, 'pending', 0, p_now
        FROM gateway.webhook_endpoint w
        WHERE w.business_id = p_business AND w.livemode = p_livemode AND w.state <> 'disabled' AND w.deleted_at IS NULL
          AND CASE WHEN one ? 'to' THEN w.id = (one->>'to')::uuid
                   ELSE gateway.wants(w.enabled_events, one->>'type') AND w.id IS DISTINCT FROM (one->>'besides')::uuid END
        RETURNING delivery.id, delivery.endpoint_id)
      INSERT INTO gateway.outbox (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at, lane)
      SELECT gateway.new_id(), p_business, p_livemode, 'webhook.deliver', 'send', 60, told.id, p_now, told.endpoint_id FROM told;
      due_now := due_now OR FOUND;
    END IF;
  END LOOP;
  FOR one IN SELECT d FROM pg_catalog.jsonb_array_elements(p_due) AS d LOOP
    IF one ? 'due_at' THEN
      PERFORM gateway.put_due(p_business, p_livemode, one->>'kind', one->>'queue', (one->>'lease_s')::integer,
                              (one->>'subject_id')::uuid, (one->>'due_at')::timestamptz, (one->>'lane')::uuid);
      due_now := due_now OR (one->>'due_at')::timestamptz <= p_now;
    ELSE
      UPDATE gateway.outbox SET done_at = clock_timestamp(), lease_until = NULL, holder = NULL
      WHERE kind = one->>'kind' AND subject_id = (one->>'subject_id')::uuid AND done_at IS NULL;
    END IF;
  END LOOP;
  IF p_record IS NOT NULL THEN
    UPDATE gateway.idempotency_key SET status = p_status, answer = p_answer, lease_until = NULL
    WHERE id = p_record AND status IS NULL;
  END IF;
  RETURN due_now;
END $$;

-- Take due rows, as before. Of each lane at most its share of the queue's workers is on its way at a time; of a connection's
-- at most its declared calls in flight over all queues, and its calls a second. Of one whose breaker is open nothing goes
-- until a probe is due, and then one row. `p_shares` goes with the queues; codes, caps and rates with one another.
DROP FUNCTION gateway.claim_due(text[], integer[], integer, timestamptz);
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

ALTER TABLE gateway.connection_health ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway.connection_health FORCE ROW LEVEL SECURITY;
CREATE POLICY every ON gateway.connection_health TO gateway_operator USING (true) WITH CHECK (true);
CREATE POLICY doors ON gateway.connection_health TO gateway_owner USING (true) WITH CHECK (true);
CREATE POLICY pooled ON gateway.connection_health TO gateway_app, gateway_worker, gateway_read
  USING (livemode = NULLIF(current_setting('app.livemode', true), '')::boolean)
  WITH CHECK (livemode = NULLIF(current_setting('app.livemode', true), '')::boolean);
INSERT INTO gateway.connection_health (connection_id, livemode) SELECT c.id, c.livemode FROM gateway.connection c;
UPDATE gateway.outbox SET queue = 'ask' WHERE kind = 'connection.pull' AND done_at IS NULL;

GRANT SELECT ON gateway.connection_health TO gateway_app, gateway_worker, gateway_operator;
GRANT UPDATE (state, recent, opens, opened_at, probe_at, reason, hold_until, retries) ON gateway.connection_health TO gateway_worker, gateway_operator;
REVOKE ALL ON FUNCTION gateway.add_health, gateway.is_well, gateway.spend_retry, gateway.settle_degraded, gateway.backlog_s, gateway.put_due, gateway.claim_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.put_due TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.claim_due, gateway.is_well, gateway.spend_retry, gateway.settle_degraded TO gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.backlog_s TO gateway_app, gateway_worker, gateway_operator;
RESET ROLE;
