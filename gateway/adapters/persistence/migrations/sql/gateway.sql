-- The application's functions that run under their caller's policies; those that run past them stand in gateway_doors.sql.
SET ROLE gateway_owner;

-- Small pieces -------------------------------------------------------------------------------------------------------

-- A UUIDv7 by the server's clock, for rows that only the database knows it needs (deliveries, due work). Its twelve bits
-- after the version are the fraction of the millisecond, so that ids of one transaction sort as they were made.
CREATE FUNCTION gateway.new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT pg_catalog.encode(OVERLAY(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) PLACING
    pg_catalog.int8send((t.us / 1000) << 16 | 28672 | (t.us % 1000) * 4096 / 1000) FROM 1 FOR 8), 'hex')::uuid
  FROM (SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint AS us) AS t
$$;

DO $$ BEGIN
  -- Where the server makes them itself, it does so twenty times as fast.
  IF current_setting('server_version_num')::integer >= 180000 THEN
    CREATE OR REPLACE FUNCTION gateway.new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.uuidv7()';
  END IF;
END $$;

-- The public form of an id: 130 bits, two of them zero, five to a character of Crockford's alphabet.
CREATE FUNCTION gateway.public_id(p_prefix text, p_id uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT p_prefix || '_' || pg_catalog.string_agg(pg_catalog.substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
           SUBSTRING(b.bits FROM n * 5 + 1 FOR 5)::bit(5)::integer + 1, 1), '' ORDER BY n)
  FROM (SELECT B'00' || ('x' || pg_catalog.replace(p_id::text, '-', ''))::bit(128) AS bits) b,
       pg_catalog.generate_series(0, 25) AS n
$$;

CREATE FUNCTION gateway.set_scope(p_business uuid, p_livemode boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.set_config('app.business', p_business::text, true),
          pg_catalog.set_config('app.livemode', p_livemode::text, true);
END $$;

-- Whether an endpoint that asked for `p_wanted` wants an event: by its name, by its family (`payout.*`), or all (`*`).
CREATE FUNCTION gateway.wants(p_wanted text[], p_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT p_type = ANY (p_wanted) OR '*' = ANY (p_wanted) OR EXISTS (
    SELECT FROM pg_catalog.unnest(p_wanted) AS w (word)
    WHERE w.word LIKE '%.*' AND pg_catalog.starts_with(p_type, pg_catalog.left(w.word, -1)))
$$;

-- Due work: called inside a unit, under the caller's policies ---------------------------------------------------------

-- Insert, or hurry the open row. A row that is queued or worked at keeps its lease. Once a worker has started on it, its
-- time is spent: the first put since then sets the next one, later puts can only hurry that. Whoever puts it may know the lane.
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

-- A whole unit in one round trip and one transaction, where all that it writes is a new payment and what goes with it.
-- `p_payment`: the row as JSON, every column that has a value. Gives NULL, and writes nothing, where a unique key of the
-- payment is taken; else what close_unit gives, which stands in webhooks.sql.
CREATE FUNCTION gateway.put_payment(p_business uuid, p_livemode boolean, p_now timestamptz, p_payment jsonb, p_events jsonb,
                                    p_due jsonb, p_record uuid, p_status integer, p_answer bytea) RETURNS boolean
  LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  PERFORM gateway.set_scope(p_business, p_livemode);
  INSERT INTO gateway.payment SELECT r.* FROM pg_catalog.jsonb_populate_record(NULL::gateway.payment, p_payment) AS r
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN gateway.close_unit(p_business, p_livemode, p_now, p_events, p_due, p_record, p_status, p_answer);
END $$;

-- Whole transactions in one round trip, under the caller's policies ---------------------------------------------------

-- All that can become of an idempotency key. `outcome`: begun, replay, in_flight, mismatch.
-- The commit isn't waited for: if the server loses this row, it has lost no work. The object's own unique constraint
-- stands behind it, and a later transaction that is on disk has this one before it on disk.
CREATE FUNCTION gateway.begin_idempotent(p_id uuid, p_owner uuid, p_business uuid, p_livemode boolean, p_key_hash bytea,
    p_fingerprint bytea, p_object uuid, p_lease_s integer, p_keep_days integer)
  RETURNS TABLE (outcome text, record_id uuid, object_id uuid, status integer, answer bytea, wait_s integer)
  LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  at timestamptz := pg_catalog.clock_timestamp();
  k gateway.idempotency_key;
BEGIN
  PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
  PERFORM gateway.set_scope(p_business, p_livemode);
  LOOP
    INSERT INTO gateway.idempotency_key AS i (id, owner_id, business_id, livemode, key_hash, fingerprint, object_id, lease_until, keep_until)
    VALUES (p_id, p_owner, p_business, p_livemode, p_key_hash, p_fingerprint, p_object,
            at + pg_catalog.make_interval(secs => p_lease_s), at + pg_catalog.make_interval(days => p_keep_days))
    ON CONFLICT ON CONSTRAINT idempotency_key_scope DO UPDATE SET
      lease_until = excluded.lease_until,
      object_id = CASE WHEN i.keep_until <= at THEN excluded.object_id ELSE i.object_id END,
      fingerprint = CASE WHEN i.keep_until <= at THEN excluded.fingerprint ELSE i.fingerprint END,
      keep_until = CASE WHEN i.keep_until <= at THEN excluded.keep_until ELSE i.keep_until END,
      status = NULL, answer = NULL
    WHERE i.keep_until <= at
       OR i.status IS NULL AND i.fingerprint = excluded.fingerprint AND (i.lease_until IS NULL OR i.lease_until <= at)
    RETURNING i.id, i.object_id INTO record_id, object_id;
    IF FOUND THEN
      outcome := 'begun';
      RETURN NEXT;
      RETURN;
    END IF;
    SELECT i.* INTO k FROM gateway.idempotency_key i
    WHERE i.business_id = p_business AND i.livemode = p_livemode AND i.owner_id = p_owner AND i.key_hash = p_key_hash;
    CONTINUE WHEN NOT FOUND;                       -- swept between the two statements
    record_id := k.id;
    object_id := k.object_id;
    IF k.fingerprint <> p_fingerprint THEN
      outcome := 'mismatch';
    ELSIF k.status IS NOT NULL THEN
      outcome := 'replay';
      status := k.status;
      answer := k.answer;
    ELSE
      outcome := 'in_flight';
      wait_s := GREATEST(1, LEAST(5, pg_catalog.ceil(EXTRACT(epoch FROM k.lease_until - at))))::integer;
    END IF;
    RETURN NEXT;
    RETURN;
  END LOOP;
END $$;

-- A final answer from outside a unit, or (without one) the end of the lease.
CREATE FUNCTION gateway.end_idempotent(p_id uuid, p_business uuid, p_livemode boolean, p_status integer, p_answer bytea)
  RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM gateway.set_scope(p_business, p_livemode);
  UPDATE gateway.idempotency_key SET status = p_status, answer = p_answer, lease_until = NULL
  WHERE id = p_id AND status IS NULL;
END $$;

-- False when the same bytes came to this address before.
CREATE FUNCTION gateway.keep_callback(p_id uuid, p_business uuid, p_livemode boolean, p_reply uuid, p_connection uuid,
    p_subject_kind text, p_subject uuid, p_at timestamptz, p_headers jsonb, p_body bytea, p_body_hmac bytea, p_peer text,
    p_queue text, p_lease_s integer) RETURNS boolean
  LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  PERFORM gateway.set_scope(p_business, p_livemode);
  INSERT INTO gateway.provider_callback (id, business_id, livemode, reply_id, connection_id, subject_kind, subject_id,
                                         received_at, headers, body, body_hmac, peer)
  VALUES (p_id, p_business, p_livemode, p_reply, p_connection, p_subject_kind, p_subject, p_at, p_headers, p_body,
          p_body_hmac, p_peer)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM gateway.put_due(p_business, p_livemode, 'callback.weigh', p_queue, p_lease_s, p_id, p_at);
  RETURN true;
END $$;

-- Mark done, or due again; when it was put again meanwhile, it stays due at the earlier time. Only the worker that holds
-- the row may: nothing happens when its lease ran out and the row went on without it.
CREATE FUNCTION gateway.finish_due(p_id uuid, p_business uuid, p_livemode boolean, p_holder integer, p_generation integer,
                                   p_again timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM gateway.set_scope(p_business, p_livemode);
  UPDATE gateway.outbox SET
    done_at = CASE WHEN generation = p_generation AND p_again IS NULL THEN clock_timestamp() END,
    due_at = CASE WHEN p_again IS NULL THEN due_at WHEN generation = p_generation THEN p_again ELSE LEAST(due_at, p_again) END,
    failures = 0, lease_until = NULL, holder = NULL
  WHERE id = p_id AND done_at IS NULL AND holder = p_holder;
END $$;

-- Due again after a while, and one failure more; the fifth in a row raises an alert. Putting it again doesn't hurry it.
CREATE FUNCTION gateway.fail_due(p_id uuid, p_business uuid, p_livemode boolean, p_holder integer, p_generation integer,
                                 p_now timestamptz, p_after_s integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  failed gateway.outbox;
BEGIN
  PERFORM gateway.set_scope(p_business, p_livemode);
  UPDATE gateway.outbox SET due_at = p_now + make_interval(secs => p_after_s), failures = failures + 1,
    lease_until = NULL, holder = NULL
  WHERE id = p_id AND done_at IS NULL AND holder = p_holder RETURNING * INTO failed;
  IF failed.failures = 5 THEN
    INSERT INTO gateway.alert (id, business_id, livemode, kind, subject_id, detail, raised_at)
    VALUES (gateway.new_id(), p_business, p_livemode, 'due_work_failing', failed.subject_id,
            failed.kind || ' failed five times in a row', p_now)
    ON CONFLICT DO NOTHING;
  END IF;
END $$;

CREATE FUNCTION gateway.extend_due(p_id uuid, p_business uuid, p_livemode boolean, p_holder integer, p_generation integer,
                                   p_seconds integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM gateway.set_scope(p_business, p_livemode);
  UPDATE gateway.outbox SET lease_until = GREATEST(lease_until, clock_timestamp() + make_interval(secs => p_seconds))
  WHERE id = p_id AND done_at IS NULL AND holder = p_holder;
END $$;
RESET ROLE;
