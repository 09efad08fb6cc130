-- The application's functions, row policies and rights; the tables stand in gateway_tables.sql.
SET ROLE gateway_owner;

-- Small pieces -------------------------------------------------------------------------------------------------------

-- A UUIDv7 by the server's clock, for rows that only the database knows it needs (deliveries, due work). Its twelve bits
-- after the version are the fraction of the millisecond, so that ids of one transaction sort as they were made.
CREATE FUNCTION gateway.new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT pg_catalog.encode(OVERLAY(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) PLACING
    pg_catalog.int8send((t.us / 1000) << 16 | 28672 | (t.us % 1000) * 4096 / 1000) FROM 1 FOR 8), 'hex')::uuid
  FROM (SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint AS us) AS t
$$;

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
-- time is spent: the first put since then sets the next one, later puts can only hurry that.
CREATE FUNCTION gateway.put_due(p_business uuid, p_livemode boolean, p_kind text, p_queue text, p_lease_s integer,
                                p_subject uuid, p_due_at timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO gateway.outbox AS o (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at)
  VALUES (gateway.new_id(), p_business, p_livemode, p_kind, p_queue, p_lease_s, p_subject, p_due_at)
  ON CONFLICT (kind, subject_id) WHERE done_at IS NULL DO UPDATE SET
    due_at = CASE WHEN o.holder IS NOT NULL AND o.lease_until > clock_timestamp() AND o.claimed = o.generation
                  THEN excluded.due_at ELSE LEAST(o.due_at, excluded.due_at) END,
    lease_until = CASE WHEN o.lease_until > clock_timestamp() THEN o.lease_until END,
    holder = CASE WHEN o.lease_until > clock_timestamp() THEN o.holder END,
    generation = o.generation + 1;
END $$;

-- The end of a unit, in one round trip: events with their sequence, deliveries, due work, the idempotent answer.
-- `p_events`: [{id, type, object_id, payload}]; `p_due`: [{kind, queue, lease_s, subject_id, due_at}], without due_at
-- the open row is dropped. Gives whether something is due at once.
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
    FROM (SELECT COALESCE(max(v.sequence), 0) + 1 AS next FROM gateway.event v
          WHERE v.business_id = p_business AND v.livemode = p_livemode AND v.object_id = (one->>'object_id')::uuid) AS s
    RETURNING event.id INTO told_of;
    WITH told AS (
      INSERT INTO gateway.delivery (id, business_id, livemode, created, updated, version, event_id, endpoint_id, state, tries, next_try_at)
      SELECT gateway.new_id(), p_business, p_livemode, p_now, p_now, 1, told_of, w.id, 'pending', 0, p_now
      FROM gateway.webhook_endpoint w
      WHERE w.business_id = p_business AND w.livemode = p_livemode AND w.state = 'enabled' AND w.deleted_at IS NULL
        AND gateway.wants(w.enabled_events, one->>'type')
      RETURNING delivery.id)
    INSERT INTO gateway.outbox (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at)
    SELECT gateway.new_id(), p_business, p_livemode, 'webhook.deliver', 'send', 60, told.id, p_now FROM told;
    due_now := due_now OR FOUND;
  END LOOP;
  FOR one IN SELECT d FROM pg_catalog.jsonb_array_elements(p_due) AS d LOOP
    IF one ? 'due_at' THEN
      PERFORM gateway.put_due(p_business, p_livemode, one->>'kind', one->>'queue', (one->>'lease_s')::integer,
                              (one->>'subject_id')::uuid, (one->>'due_at')::timestamptz);
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

-- The doors: before a business is known. They run as the owner, past the policies, and give ids only -------------------

CREATE FUNCTION gateway.find_api_key(p_hash bytea)
  RETURNS TABLE (key_id uuid, platform_id uuid, business_id uuid, livemode boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.id, k.platform_id, k.business_id, k.livemode FROM gateway.api_key k
  WHERE k.key_hash = p_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
$$;

CREATE FUNCTION gateway.find_reply(p_hash bytea)
  RETURNS TABLE (reply_id uuid, connection_id uuid, code text, tag text, business_id uuid, livemode boolean, subject_kind text, subject_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, r.connection_id, c.code, c.tag, r.business_id, r.livemode, r.subject_kind, r.subject_id
  FROM gateway.reply_to r JOIN gateway.connection c ON c.id = r.connection_id WHERE r.secret_hash = p_hash
$$;

CREATE FUNCTION gateway.find_session(p_hash bytea) RETURNS TABLE (session_id uuid, business_id uuid, livemode boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.id, s.business_id, s.livemode FROM gateway.checkout_session s WHERE s.secret_hash = p_hash
$$;

-- Take due rows for the queues, as many of each as it has room for: rows whose lease ran out before rows never taken,
-- oldest first. The lease is short: it covers the way through the queue, and what is lost there is sent again after it.
CREATE FUNCTION gateway.claim_due(p_queues text[], p_rooms integer[], p_lease_s integer, p_now timestamptz)
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
        WHERE o.queue = p_queues[i] AND o.done_at IS NULL AND o.lease_until IS NULL AND o.due_at <= p_now
        ORDER BY o.due_at LIMIT room FOR UPDATE SKIP LOCKED),
      claimed AS (
        UPDATE gateway.outbox o SET lease_until = clock_timestamp() + make_interval(secs => p_lease_s),
          dispatches = o.dispatches + 1
        FROM picked WHERE o.id = picked.id
        RETURNING o.*)
      SELECT c.id, c.kind, c.subject_id, c.business_id, c.livemode, c.generation, c.dispatches, c.holder, c.failures
      FROM claimed c ORDER BY c.due_at, c.id;
  END LOOP;
END $$;

-- Start on a row: it is `p_holder`'s alone until the lease that begins now runs out, or the holder's session ends.
-- Nothing when it is done, not due, or in another worker's hands.
CREATE FUNCTION gateway.start_due(p_id uuid, p_holder integer, p_now timestamptz)
  RETURNS TABLE (id uuid, kind text, subject_id uuid, business_id uuid, livemode boolean, generation integer, dispatches integer,
                 holder integer, failures integer)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE gateway.outbox o SET claimed = o.generation, holder = p_holder,
    lease_until = clock_timestamp() + make_interval(secs => o.lease_s)
  WHERE o.id = p_id AND o.done_at IS NULL AND o.due_at <= p_now
    AND (o.holder IS NULL OR o.lease_until IS NULL OR o.lease_until <= clock_timestamp())
  RETURNING o.id, o.kind, o.subject_id, o.business_id, o.livemode, o.generation, o.dispatches, o.holder, o.failures
$$;

-- A worker's life is a session lock: pick a number that nobody holds. It ends with the session, however that ends.
CREATE FUNCTION gateway.take_holder() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  picked integer;
BEGIN
  LOOP
    picked := 1 + (pg_catalog.random() * 2000000000)::integer;
    IF pg_catalog.pg_try_advisory_lock(gateway.holder_class(), picked) THEN
      RETURN picked;
    END IF;
  END LOOP;
END $$;

CREATE FUNCTION gateway.holder_class() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1785';

-- Free the rows whose worker is gone, without waiting for their lease. Gives how many.
CREATE FUNCTION gateway.free_due() RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n integer;
BEGIN
  UPDATE gateway.outbox o SET lease_until = clock_timestamp(), holder = NULL
  WHERE o.done_at IS NULL AND o.holder IS NOT NULL AND o.lease_until > clock_timestamp()
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
      WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
        AND l.classid = gateway.holder_class()::oid AND l.objid = o.holder::oid);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;

-- Forget what nobody asks for any more: work done a day ago, keys past their time, prompts of an hour ago.
CREATE FUNCTION gateway.sweep(p_limit integer, p_now timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  swept integer := 0;
  n integer;
BEGIN
  DELETE FROM gateway.outbox WHERE id IN (SELECT o.id FROM gateway.outbox o WHERE o.done_at < clock_timestamp() - interval '1 day'
                                          ORDER BY o.done_at LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS n = ROW_COUNT;
  swept := swept + n;
  DELETE FROM gateway.idempotency_key WHERE id IN (SELECT k.id FROM gateway.idempotency_key k WHERE k.keep_until < clock_timestamp()
                                                   ORDER BY k.keep_until LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS n = ROW_COUNT;
  swept := swept + n;
  DELETE FROM gateway.phone_prompt WHERE id IN (SELECT p.id FROM gateway.phone_prompt p WHERE p.at < p_now - interval '1 hour'
                                                ORDER BY p.id LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN swept + n;
END $$;

-- The guards: what must be counted over all businesses is answered with yes, no, or a time to wait ---------------------

-- May `p_float` promise `p_units` to that payout? What it holds, less what it has promised to all businesses, less what
-- older payouts of the queue still want from it: so a smaller one never overtakes on money that an older one needs.
-- Call it in the transaction that sets `submitting`: the float stays locked until its end.
CREATE FUNCTION gateway.promise_float(p_float uuid, p_payout uuid, p_units numeric) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me gateway.payout;
  held numeric;
  promised numeric;
  older numeric;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('float:' || p_float, 0));
  SELECT p.* INTO me FROM gateway.payout p JOIN gateway.float f ON f.id = p_float AND f.livemode = p.livemode
  WHERE p.id = p_payout AND p.business_id = NULLIF(current_setting('app.business', true), '')::uuid;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  SELECT COALESCE(sum(b.dr - b.cr), 0) INTO held FROM ledger.balance_now b JOIN ledger.account a ON a.id = b.account_id
  WHERE a.path = 'float:' || gateway.public_id('flt', p_float) AND a.livemode = me.livemode AND a.asset = me.currency;
  SELECT COALESCE(sum(a.amount_units), 0) INTO promised FROM gateway.payout_attempt a
  WHERE a.float_id = p_float AND a.state IN ('submitting', 'in_transit', 'unknown') AND a.payout_id <> p_payout;
  SELECT COALESCE(sum(p.amount_units), 0) INTO older FROM gateway.payout p
  WHERE p.livemode = me.livemode AND p.destination_kind = me.destination_kind AND p.state = 'queued' AND p.id < p_payout
    AND p.currency = me.currency AND (p.waits_on_float IS NULL OR p.waits_on_float = p_float)
    AND NOT EXISTS (SELECT FROM gateway.payout_attempt a WHERE a.payout_id = p.id AND a.state = 'created' AND a.float_id <> p_float);
  IF held - promised - older >= p_units THEN
    UPDATE gateway.payout SET waits_on_float = NULL WHERE id = p_payout AND waits_on_float IS NOT NULL;
    RETURN true;
  END IF;
  UPDATE gateway.payout SET waits_on_float = p_float WHERE id = p_payout AND waits_on_float IS DISTINCT FROM p_float;
  RETURN false;
END $$;

-- At most 5 prompts to one phone in 10 minutes, over all businesses of the mode: NULL, or the seconds to wait.
CREATE FUNCTION gateway.take_prompt(p_hmac bytea, p_livemode boolean, p_now timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fifth timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('phone:' || encode(p_hmac, 'hex'), 0));
  SELECT p.at INTO fifth FROM gateway.phone_prompt p
  WHERE p.phone_hmac = p_hmac AND p.livemode = p_livemode AND p.at > p_now - interval '10 minutes'
  ORDER BY p.at DESC OFFSET 4 LIMIT 1;
  IF FOUND THEN
    RETURN GREATEST(1, ceil(EXTRACT(epoch FROM fifth + interval '10 minutes' - p_now)))::integer;
  END IF;
  INSERT INTO gateway.phone_prompt (id, phone_hmac, livemode, at) VALUES (gateway.new_id(), p_hmac, p_livemode, p_now);
  RETURN NULL;
END $$;

-- False when somebody has that reference on the float, now or ever before.
CREATE FUNCTION gateway.take_reference(p_float uuid, p_reference text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO gateway.taken_reference (float_id, reference) VALUES (p_float, p_reference) ON CONFLICT DO NOTHING;
  RETURN FOUND;
END $$;
RESET ROLE;
