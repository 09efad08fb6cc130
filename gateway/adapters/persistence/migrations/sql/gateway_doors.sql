-- The functions that run as the owner, past the row policies: doors, due work over all businesses, guards. Each that
-- touches rows is SECURITY DEFINER with a fixed search path and tells its caller no more than it must.
SET ROLE gateway_owner;

-- The doors: before a business is known. They run as the owner, past the policies, and give ids only -------------------

CREATE FUNCTION gateway.find_session(p_hash bytea) RETURNS TABLE (session_id uuid, business_id uuid, livemode boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.id, s.business_id, s.livemode FROM gateway.checkout_session s WHERE s.secret_hash = p_hash
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
