-- The operator's day: what floats hold by the provider's word, moves of our own money, halts, and what metrics count.
SET ROLE gateway_owner;

ALTER TABLE gateway.float ADD COLUMN low_units numeric(38,0) CHECK (low_units >= 0);  -- below it a person is told

-- The newest word of a provider on each pocket that a connection tells of; `float_id` where the pocket is one of our floats.
CREATE TABLE gateway.float_balance (
  connection_id uuid NOT NULL,
  livemode      boolean NOT NULL,
  pocket        text NOT NULL,
  float_id      uuid,
  currency      text NOT NULL,
  units         numeric(38,0) NOT NULL CHECK (units >= 0),
  is_owed       boolean NOT NULL,
  at            timestamptz NOT NULL,          -- the provider's time, or when it was told
  PRIMARY KEY (connection_id, pocket),
  CONSTRAINT float_balance_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT float_balance_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
);
CREATE INDEX float_balance_of_float ON gateway.float_balance (float_id, at) WHERE float_id IS NOT NULL;

-- A provider's charge that was booked: one for each number of a transaction on a float.
CREATE TABLE gateway.provider_charge (
  float_id uuid NOT NULL,
  number   text NOT NULL,
  livemode boolean NOT NULL,
  units    numeric(38,0) NOT NULL CHECK (units > 0),
  at       timestamptz NOT NULL,
  PRIMARY KEY (float_id, number),
  CONSTRAINT provider_charge_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
);

-- What the operator stopped for a whole mode.
CREATE TABLE gateway.halt (
  livemode boolean NOT NULL,
  what     text NOT NULL CHECK (what IN ('payments', 'payouts')),
  reason   text NOT NULL CHECK (reason <> ''),
  since    timestamptz NOT NULL,
  PRIMARY KEY (livemode, what)
);

-- Our own money on its way between two floats, by order of an operator.
CREATE TABLE gateway.own_transfer (
  id                 uuid PRIMARY KEY,
  business_id        uuid NOT NULL CHECK (business_id = '00000000-0000-0000-0000-000000000000'),
  livemode           boolean NOT NULL,
  created            timestamptz NOT NULL,
  updated            timestamptz NOT NULL,
  version            integer NOT NULL,
  connection_id      uuid NOT NULL,
  source_id          uuid NOT NULL,
  target_id          uuid NOT NULL,
  source_pocket      text NOT NULL,
  target_pocket      text NOT NULL,
  currency           text NOT NULL,
  amount_units       numeric(38,0) NOT NULL CHECK (amount_units > 0),
  reference          text NOT NULL,
  provider_reference text,
  state              text NOT NULL CHECK (state IN ('created', 'submitting', 'submitted', 'unknown', 'succeeded', 'failed')),
  sends              integer NOT NULL,
  look_ups           integer NOT NULL,
  receipt_number     text,
  failure            jsonb,
  CONSTRAINT own_transfer_reference UNIQUE (connection_id, reference),
  CONSTRAINT own_transfer_differs CHECK (source_id <> target_id),
  CONSTRAINT own_transfer_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT own_transfer_source FOREIGN KEY (source_id, livemode) REFERENCES gateway.float (id, livemode),
  CONSTRAINT own_transfer_target FOREIGN KEY (target_id, livemode) REFERENCES gateway.float (id, livemode)
);

-- Calls and requests counted up, for metrics: rows are read once, behind a mark, and never counted on the hot path.
CREATE TABLE gateway.call_tally (
  connection_id uuid NOT NULL,
  livemode      boolean NOT NULL,
  operation     text NOT NULL,
  outcome       text NOT NULL,
  calls         bigint NOT NULL,
  seconds       numeric NOT NULL,
  buckets       bigint[] NOT NULL,             -- calls within 0.1, 0.25, 0.5, 1, 2.5, 5, 10 and 30 seconds
  last_at       timestamptz NOT NULL,
  PRIMARY KEY (connection_id, operation, outcome)
);
CREATE TABLE gateway.request_tally (
  method  text NOT NULL,
  route   text NOT NULL,
  status  integer NOT NULL,
  calls   bigint NOT NULL,
  seconds numeric NOT NULL,
  buckets bigint[] NOT NULL,
  PRIMARY KEY (method, route, status)
);
CREATE TABLE gateway.tally_mark (
  what text PRIMARY KEY,
  last uuid NOT NULL
);
INSERT INTO gateway.tally_mark (what, last) VALUES ('calls', '00000000-0000-0000-0000-000000000000'), ('requests', '00000000-0000-0000-0000-000000000000');

CREATE INDEX attempt_in_doubt ON gateway.attempt (submitted_at) WHERE state IN ('unknown', 'unresolved');

DO $policies$
DECLARE
  word text;
  mine constant text := $p$business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['float_balance', 'provider_charge', 'halt', 'own_transfer', 'call_tally', 'request_tally', 'tally_mark'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
  END LOOP;
  FOREACH word IN ARRAY ARRAY['float_balance', 'provider_charge', 'halt'] LOOP
    EXECUTE format('CREATE POLICY pooled ON gateway.%I TO gateway_app, gateway_worker USING (%s) WITH CHECK (%s)', word, mode, mode);
  END LOOP;
  EXECUTE format('CREATE POLICY own ON gateway.own_transfer TO gateway_worker USING (%s AND %s) WITH CHECK (%s AND %s)', mode, mine, mode, mine);
END $policies$;

GRANT SELECT ON gateway.halt TO gateway_app, gateway_worker;
GRANT SELECT, INSERT, DELETE ON gateway.halt TO gateway_operator;
GRANT SELECT, INSERT, UPDATE ON gateway.float_balance TO gateway_worker, gateway_operator;
GRANT SELECT, INSERT ON gateway.provider_charge TO gateway_worker, gateway_operator;
GRANT SELECT, UPDATE ON gateway.own_transfer TO gateway_worker;
GRANT SELECT, INSERT, UPDATE ON gateway.own_transfer TO gateway_operator;
GRANT SELECT ON gateway.call_tally, gateway.request_tally TO gateway_operator;
GRANT UPDATE (low_units) ON gateway.float TO gateway_operator;

-- What a float holds by the books, what of it is promised, and what may be there beyond: prompts and our own transfers on
-- their way.
CREATE FUNCTION gateway.float_standing(p_float uuid)
  RETURNS TABLE (held numeric, promised numeric, awaited numeric, low_units numeric)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT gateway.held_on(f.id, f.livemode, f.currency), gateway.promised_of(f.id, '00000000-0000-0000-0000-000000000000'),
    COALESCE((SELECT sum(a.amount_units) FROM gateway.attempt a
      WHERE a.float_id = f.id AND a.state IN ('submitting', 'submitted', 'unknown')), 0)
    + COALESCE((SELECT sum(r.amount_units) FROM gateway.own_transfer r
      WHERE f.id IN (r.source_id, r.target_id) AND r.state IN ('submitting', 'submitted', 'unknown')), 0),
    f.low_units
  FROM gateway.float f WHERE f.id = p_float
$$;

-- An alert whose matter ended by itself: of these kinds alone.
CREATE FUNCTION gateway.settle_alert(p_kind text, p_subject uuid) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE gateway.alert SET resolved_at = clock_timestamp()
  WHERE kind = p_kind AND subject_id = p_subject AND resolved_at IS NULL
    AND p_kind IN ('credential_ageing', 'float_differs', 'balance_unread', 'own_transfer_unknown')
$$;

-- Whether a float is below its threshold: by the books less what is promised, or by the provider's newest word.
CREATE FUNCTION gateway.is_low(p_float uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(f.low_units > LEAST(gateway.held_on(f.id, f.livemode, f.currency)
      - gateway.promised_of(f.id, '00000000-0000-0000-0000-000000000000'),
    (SELECT CASE WHEN b.is_owed THEN -b.units ELSE b.units END FROM gateway.float_balance b
     WHERE b.float_id = f.id ORDER BY b.at DESC LIMIT 1)), false)
  FROM gateway.float f WHERE f.id = p_float
$$;

-- The alert about a float ends by itself once nothing waits for it any more and it is above its threshold again.
CREATE FUNCTION gateway.settle_float_alert(p_float uuid) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE gateway.alert SET resolved_at = clock_timestamp()
  WHERE kind = 'float_low' AND subject_id = p_float AND resolved_at IS NULL AND gateway.float_short(p_float) = 0
    AND NOT gateway.is_low(p_float)
$$;

-- Tell a person of floats below their thresholds, and end what is over; gives how many are low.
CREATE FUNCTION gateway.watch_floats(p_now timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one record;
  low integer := 0;
BEGIN
  FOR one IN SELECT f.id, f.livemode, f.low_units FROM gateway.float f
             WHERE f.low_units IS NOT NULL OR EXISTS (SELECT FROM gateway.alert a
               WHERE a.kind = 'float_low' AND a.subject_id = f.id AND a.resolved_at IS NULL) LOOP
    IF gateway.is_low(one.id) THEN
      low := low + 1;
      INSERT INTO gateway.alert (id, livemode, kind, subject_id, detail, raised_at)
      VALUES (gateway.new_id(), one.livemode, 'float_low', one.id, 'below its threshold of ' || one.low_units || ' minor units', p_now)
      ON CONFLICT DO NOTHING;
    ELSE
      PERFORM gateway.settle_float_alert(one.id);
    END IF;
  END LOOP;
  RETURN low;
END $$;

-- Put work about connections of these codes where nobody has promised it: one that was just added, or a lost row.
CREATE FUNCTION gateway.promise_tending(p_kind text, p_codes text[], p_queue text, p_lease_s integer, p_now timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  done integer;
BEGIN
  IF p_kind NOT IN ('connection.balance', 'connection.check') THEN
    RAISE EXCEPTION 'not a kind of tending: %', p_kind;
  END IF;
  INSERT INTO gateway.outbox (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at)
  SELECT gateway.new_id(), '00000000-0000-0000-0000-000000000000', c.livemode, p_kind, p_queue, p_lease_s, c.id, p_now
  FROM gateway.connection c WHERE c.code = ANY (p_codes)
    AND NOT EXISTS (SELECT FROM gateway.outbox o WHERE o.kind = p_kind AND o.subject_id = c.id AND o.done_at IS NULL)
  ON CONFLICT (kind, subject_id) WHERE done_at IS NULL DO NOTHING;
  GET DIAGNOSTICS done = ROW_COUNT;
  RETURN done;
END $$;

-- A payout left: its connection is asked for the balance in a minute, and not before five after the last time. A row that
-- another transaction holds is left alone: whoever holds it hurries it too.
CREATE FUNCTION gateway.hurry_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE gateway.outbox o SET due_at = NEW.updated + interval '1 minute'
  WHERE o.id = (SELECT w.id FROM gateway.outbox w WHERE w.kind = 'connection.balance' AND w.subject_id = NEW.connection_id
                AND w.done_at IS NULL AND w.lease_until IS NULL AND w.due_at > NEW.updated + interval '1 minute'
                FOR UPDATE SKIP LOCKED);
  RETURN NULL;
END $$;
CREATE TRIGGER payout_attempt_hurries AFTER UPDATE OF state ON gateway.payout_attempt FOR EACH ROW
  WHEN (NEW.state = 'succeeded' AND OLD.state <> 'succeeded') EXECUTE FUNCTION gateway.hurry_balance();

-- When a connection was last asked for its balance.
CREATE FUNCTION gateway.balance_asked(p_connection uuid) RETURNS timestamptz
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.started_at FROM gateway.provider_call c WHERE c.business_id = '00000000-0000-0000-0000-000000000000'
    AND c.subject_id = p_connection AND c.operation = 'balance' ORDER BY c.id DESC LIMIT 1
$$;

-- Count calls and requests that were written since the last time, up to an id whose transactions are all over.
CREATE FUNCTION gateway.tally(p_until uuid) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  since uuid;
  done integer := 0;
  n integer;
BEGIN
  SELECT m.last INTO since FROM gateway.tally_mark m WHERE m.what = 'calls' FOR UPDATE;
  IF p_until > since THEN
    INSERT INTO gateway.call_tally AS t (connection_id, livemode, operation, outcome, calls, seconds, buckets, last_at)
    SELECT c.connection_id, c.livemode, c.operation, c.word, count(*), sum(c.s), ARRAY[
      count(*) FILTER (WHERE c.s <= 0.1), count(*) FILTER (WHERE c.s <= 0.25), count(*) FILTER (WHERE c.s <= 0.5),
      count(*) FILTER (WHERE c.s <= 1), count(*) FILTER (WHERE c.s <= 2.5), count(*) FILTER (WHERE c.s <= 5),
      count(*) FILTER (WHERE c.s <= 10), count(*) FILTER (WHERE c.s <= 30)], max(c.ended_at)
    FROM (SELECT p.connection_id, p.livemode, p.operation, split_part(p.outcome, ' ', 1) AS word, p.ended_at,
            GREATEST(EXTRACT(epoch FROM p.ended_at - p.started_at), 0) AS s
          FROM gateway.provider_call p WHERE p.id > since AND p.id <= p_until) c
    GROUP BY c.connection_id, c.livemode, c.operation, c.word
    ON CONFLICT (connection_id, operation, outcome) DO UPDATE SET calls = t.calls + excluded.calls, seconds = t.seconds + excluded.seconds,
      buckets = ARRAY(SELECT b.x + b.y FROM unnest(t.buckets, excluded.buckets) WITH ORDINALITY AS b (x, y, i) ORDER BY b.i),
      last_at = GREATEST(t.last_at, excluded.last_at);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done + n;
    UPDATE gateway.tally_mark SET last = p_until WHERE what = 'calls';
  END IF;
  SELECT m.last INTO since FROM gateway.tally_mark m WHERE m.what = 'requests' FOR UPDATE;
  IF p_until > since THEN
    INSERT INTO gateway.request_tally AS t (method, route, status, calls, seconds, buckets)
    SELECT r.method, r.route, r.status, count(*), sum(r.s), ARRAY[
      count(*) FILTER (WHERE r.s <= 0.1), count(*) FILTER (WHERE r.s <= 0.25), count(*) FILTER (WHERE r.s <= 0.5),
      count(*) FILTER (WHERE r.s <= 1), count(*) FILTER (WHERE r.s <= 2.5), count(*) FILTER (WHERE r.s <= 5),
      count(*) FILTER (WHERE r.s <= 10), count(*) FILTER (WHERE r.s <= 30)]
    FROM (SELECT q.method, COALESCE(q.route, 'none') AS route, q.status, q.duration_ms / 1000.0 AS s
          FROM gateway.request_log q WHERE q.id > since AND q.id <= p_until) r
    GROUP BY r.method, r.route, r.status
    ON CONFLICT (method, route, status) DO UPDATE SET calls = t.calls + excluded.calls, seconds = t.seconds + excluded.seconds,
      buckets = ARRAY(SELECT b.x + b.y FROM unnest(t.buckets, excluded.buckets) WITH ORDINALITY AS b (x, y, i) ORDER BY b.i);
    GET DIAGNOSTICS n = ROW_COUNT;
    done := done + n;
    UPDATE gateway.tally_mark SET last = p_until WHERE what = 'requests';
  END IF;
  RETURN done;
END $$;

-- What a check of one connection asks the database: facts alone, no secret and nothing of a business's.
CREATE FUNCTION gateway.connection_facts(p_connection uuid, p_now timestamptz) RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'clock', clock_timestamp(),
    'registered_at', (SELECT max(r.created) FROM gateway.reply_to r WHERE r.connection_id = c.id AND r.subject_kind = 'connection' AND r.purpose = 'announced'),
    'float', (SELECT f.title FROM gateway.float f WHERE f.id = c.float_id),
    'held', (SELECT s.held::text FROM gateway.float_standing(c.float_id) s),
    'low_units', (SELECT s.low_units::text FROM gateway.float_standing(c.float_id) s),
    'priced', (SELECT COALESCE(jsonb_agg(DISTINCT s.product), '[]') FROM gateway.fee_schedule s WHERE s.effective_from <= p_now),
    'halted', (SELECT COALESCE(jsonb_agg(h.what), '[]') FROM gateway.halt h WHERE h.livemode = c.livemode),
    'balance_at', (SELECT max(b.at) FROM gateway.float_balance b WHERE b.connection_id = c.id),
    'pockets', (SELECT COALESCE(jsonb_agg(b.pocket ORDER BY b.pocket), '[]') FROM gateway.float_balance b WHERE b.connection_id = c.id),
    'calls', (SELECT COALESCE(jsonb_agg(jsonb_build_object('operation', t.operation, 'outcome', t.outcome, 'calls', t.calls, 'at', t.last_at)
              ORDER BY t.last_at DESC), '[]') FROM gateway.call_tally t WHERE t.connection_id = c.id),
    'alerts', (SELECT COALESCE(jsonb_agg(DISTINCT a.kind), '[]') FROM gateway.alert a WHERE a.subject_id IN (c.id, c.float_id) AND a.resolved_at IS NULL),
    'open_businesses', (SELECT count(*) FROM gateway.business b WHERE b.payments_enabled OR b.payouts_enabled),
    'received', EXISTS (SELECT FROM gateway.receipt r WHERE r.float_id = c.float_id AND r.livemode = c.livemode),
    'paid', EXISTS (SELECT FROM gateway.payout_attempt p WHERE p.connection_id = c.id AND p.state = 'succeeded'))
  FROM gateway.connection c WHERE c.id = p_connection
$$;

REVOKE ALL ON FUNCTION gateway.float_standing, gateway.settle_float_alert, gateway.settle_alert, gateway.is_low, gateway.watch_floats, gateway.promise_tending,
  gateway.hurry_balance, gateway.balance_asked, gateway.tally, gateway.connection_facts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.float_standing, gateway.settle_alert, gateway.watch_floats, gateway.promise_tending, gateway.balance_asked,
  gateway.tally, gateway.connection_facts TO gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.settle_float_alert TO gateway_operator;
RESET ROLE;
