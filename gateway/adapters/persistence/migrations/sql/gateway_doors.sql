-- The functions that run as the owner, past the row policies: doors, due work over all businesses, guards. Each that
-- touches rows is SECURITY DEFINER with a fixed search path and tells its caller no more than it must.
SET ROLE gateway_owner;

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
