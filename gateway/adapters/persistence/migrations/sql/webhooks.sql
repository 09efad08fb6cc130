-- Webhooks beside the first ones: secrets that rotate, endpoints' health, replays, how long events stay, and the end of a unit.
SET ROLE gateway_owner;

ALTER TABLE gateway.webhook_endpoint
  ADD COLUMN previous_secret bytea,            -- sealed; signs beside the new one until previous_until
  ADD COLUMN previous_until timestamptz,
  ADD COLUMN payload text NOT NULL DEFAULT 'full' CHECK (payload IN ('full', 'thin')),
  ADD COLUMN failing_since timestamptz,        -- the first failed try since one was taken
  ADD COLUMN slow_until timestamptz,           -- it kept a worker waiting: until then its sends go through the slow queue
  ADD COLUMN disabled_at timestamptz,
  DROP CONSTRAINT webhook_endpoint_state_check,
  ADD CONSTRAINT webhook_endpoint_state_check CHECK (state IN ('enabled', 'failing', 'disabled')),
  ADD CONSTRAINT webhook_endpoint_previous CHECK (previous_secret IS NULL OR previous_until IS NOT NULL);

-- Web may write a new secret and never read one, so the old one is kept here.
CREATE FUNCTION gateway.keep_previous_secret() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('app.resealing', true) = 'on' THEN
    RETURN NEW;                                  -- the same secret under another master key
  END IF;
  IF NEW.secret IS NULL OR NEW.previous_until IS NULL THEN
    NEW.previous_secret := NULL;
    NEW.previous_until := NULL;
  ELSIF NEW.secret IS DISTINCT FROM OLD.secret THEN
    NEW.previous_secret := OLD.secret;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER webhook_endpoint_rotates BEFORE UPDATE ON gateway.webhook_endpoint FOR EACH ROW
  WHEN (NEW.secret IS DISTINCT FROM OLD.secret OR NEW.previous_until IS DISTINCT FROM OLD.previous_until)
  EXECUTE FUNCTION gateway.keep_previous_secret();

ALTER TABLE gateway.delivery ADD COLUMN earlier_tries integer NOT NULL DEFAULT 0;  -- tries of rounds before this one
ALTER TABLE gateway.delivery_try ADD COLUMN duration_ms integer;

-- Where the count of an object's events went on when all of them have been swept.
CREATE TABLE gateway.event_swept (
  business_id uuid NOT NULL,
  livemode    boolean NOT NULL,
  object_id   uuid NOT NULL,
  last        integer NOT NULL,
  PRIMARY KEY (business_id, livemode, object_id)
);

CREATE TABLE gateway.webhook_replay (
  id          uuid PRIMARY KEY,
  business_id uuid NOT NULL REFERENCES gateway.business,
  livemode    boolean NOT NULL,
  created     timestamptz NOT NULL,
  updated     timestamptz NOT NULL,
  version     integer NOT NULL,
  endpoint_id uuid NOT NULL,
  since       timestamptz NOT NULL,
  until       timestamptz NOT NULL,
  types       text[] NOT NULL,
  missed      boolean NOT NULL,                -- only what the endpoint never took
  cursor      uuid,                            -- the last event that was looked at
  resent      integer NOT NULL DEFAULT 0,
  state       text NOT NULL CHECK (state IN ('running', 'done')),
  CONSTRAINT webhook_replay_list UNIQUE (business_id, livemode, id),
  CONSTRAINT webhook_replay_endpoint FOREIGN KEY (business_id, livemode, endpoint_id)
    REFERENCES gateway.webhook_endpoint (business_id, livemode, id)
);
CREATE INDEX webhook_replay_running ON gateway.webhook_replay (business_id, livemode, endpoint_id) WHERE state = 'running';

-- The end of a unit, in one round trip: events with their sequence, deliveries, due work, the idempotent answer.
-- `p_events`: [{id, type, object_id, payload}], each to every endpoint that wants it and isn't disabled; one may name the
-- one endpoint that it goes `to`, or the one `besides` which it goes. `p_due`: [{kind, queue, lease_s, subject_id, due_at,
-- lane}], without due_at the open row is dropped. Gives whether something is due at once.
CREATE FUNCTION gateway.close_unit(p_business uuid, p_livemode boolean, p_now timestamptz, p_events jsonb, p_due jsonb,
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

-- Forget events older than `p_before` (an id of that moment) with their deliveries; an object's count goes on.
CREATE FUNCTION gateway.sweep_events(p_before uuid, p_limit integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old uuid[];
BEGIN
  old := ARRAY(SELECT e.id FROM gateway.event e WHERE e.id < p_before ORDER BY e.id LIMIT p_limit FOR UPDATE SKIP LOCKED);
  INSERT INTO gateway.event_swept AS s (business_id, livemode, object_id, last)
  SELECT e.business_id, e.livemode, e.object_id, max(e.sequence) FROM gateway.event e WHERE e.id = ANY (old) GROUP BY 1, 2, 3
  ON CONFLICT (business_id, livemode, object_id) DO UPDATE SET last = GREATEST(s.last, excluded.last);
  DELETE FROM gateway.delivery_try t USING gateway.delivery d
  WHERE t.business_id = d.business_id AND t.livemode = d.livemode AND t.delivery_id = d.id AND d.event_id = ANY (old);
  DELETE FROM gateway.delivery d USING gateway.event e
  WHERE e.id = ANY (old) AND d.business_id = e.business_id AND d.livemode = e.livemode AND d.event_id = e.id;
  DELETE FROM gateway.event e WHERE e.id = ANY (old);
  RETURN cardinality(old);
END $$;

DO $policies$
DECLARE
  word text;
  mine constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean
    AND business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['event_swept', 'webhook_replay'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY own ON gateway.%I TO gateway_app, gateway_worker USING (%s) WITH CHECK (%s)', word, mine, mine);
  END LOOP;
END $policies$;

GRANT SELECT (previous_until, payload, failing_since, slow_until, disabled_at) ON gateway.webhook_endpoint TO gateway_app;
GRANT SELECT ON gateway.event_swept TO gateway_app, gateway_worker, gateway_operator;
GRANT SELECT, INSERT ON gateway.webhook_replay TO gateway_app, gateway_operator;
GRANT SELECT, INSERT ON gateway.webhook_replay TO gateway_worker;
GRANT UPDATE (updated, version, cursor, resent, state) ON gateway.webhook_replay TO gateway_worker;
REVOKE ALL ON FUNCTION gateway.close_unit, gateway.keep_previous_secret, gateway.sweep_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.close_unit TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.sweep_events TO gateway_worker, gateway_operator;
RESET ROLE;
