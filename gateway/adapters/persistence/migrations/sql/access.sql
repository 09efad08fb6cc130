-- Keys with kinds, scopes, addresses and ends; what a platform's key may do by itself.
SET ROLE gateway_owner;

ALTER TABLE gateway.api_key
  ADD COLUMN kind text NOT NULL DEFAULT 'secret' CHECK (kind IN ('secret', 'publishable', 'restricted')),
  ADD COLUMN scopes text[] NOT NULL DEFAULT '{}',
  ADD COLUMN addresses text[] NOT NULL DEFAULT '{}',   -- networks in CIDR; none: from anywhere
  ADD COLUMN last_used timestamptz,                    -- to the minute
  ADD COLUMN rolled_to uuid,
  ADD CONSTRAINT api_key_scopes CHECK ((kind = 'restricted') = (cardinality(scopes) > 0));

-- A shop tag begins every reference that a shopper reads, so it names one business.
ALTER TABLE gateway.business ADD CONSTRAINT business_shop_tag UNIQUE (shop_tag);
CREATE INDEX business_of_platform ON gateway.business (platform_id, id);

-- The key of a hash, and whether the business that the caller names is its own or its platform's: one round trip.
CREATE FUNCTION gateway.find_api_key(p_hash bytea, p_business uuid)
  RETURNS TABLE (key_id uuid, platform_id uuid, business_id uuid, livemode boolean, kind text, scopes text[],
                 addresses text[], expires_at timestamptz, acts_for uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.id, k.platform_id, k.business_id, k.livemode, k.kind, k.scopes, k.addresses, k.expires_at,
    CASE WHEN p_business IS NULL THEN k.business_id
         ELSE (SELECT b.id FROM gateway.business b WHERE b.id = p_business AND b.platform_id = k.platform_id
               AND (k.business_id IS NULL OR k.business_id = b.id)) END
  FROM gateway.api_key k
  WHERE k.key_hash = p_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
$$;

-- When keys were last used, to the minute: many keys, one statement, and nothing where the minute is known.
CREATE FUNCTION gateway.note_key_use(p_keys uuid[]) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE gateway.api_key SET last_used = date_trunc('minute', clock_timestamp())
  WHERE id = ANY (p_keys) AND (last_used IS NULL OR last_used < date_trunc('minute', clock_timestamp()))
$$;

-- Events of all businesses of a platform, newest first, or oldest first after a cursor.
CREATE FUNCTION gateway.platform_events(p_platform uuid, p_livemode boolean, p_type text, p_after uuid, p_before uuid, p_limit integer)
  RETURNS TABLE (id uuid, payload jsonb)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT found.id, found.payload FROM (
    SELECT e.id, e.payload FROM gateway.business b CROSS JOIN LATERAL (
      SELECT v.id, v.payload FROM gateway.event v
      WHERE v.business_id = b.id AND v.livemode = p_livemode AND (p_type IS NULL OR v.type = p_type)
        AND (p_after IS NULL OR v.id < p_after) AND (p_before IS NULL OR v.id > p_before)
      ORDER BY CASE WHEN p_before IS NULL THEN v.id END DESC, v.id LIMIT p_limit) e
    WHERE b.platform_id = p_platform) found
  ORDER BY CASE WHEN p_before IS NULL THEN found.id END DESC, found.id LIMIT p_limit
$$;
CREATE FUNCTION gateway.platform_event(p_platform uuid, p_livemode boolean, p_event uuid) RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.payload FROM gateway.event v JOIN gateway.business b ON b.id = v.business_id
  WHERE v.id = p_event AND v.livemode = p_livemode AND b.platform_id = p_platform
$$;

-- Web sees keys of one platform and one business alone, by settings of the transaction; the hash it never reads.
DO $policies$
DECLARE
  platform constant text := $p$platform_id = NULLIF(current_setting('app.platform', true), '')::uuid$p$;
  mine constant text := $p$business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
BEGIN
  EXECUTE format('CREATE POLICY own ON gateway.api_key TO gateway_app USING (%s AND %s AND %s) WITH CHECK (%s AND %s AND %s)',
                 platform, mine, mode, platform, mine, mode);
  EXECUTE format('CREATE POLICY of_platform ON gateway.business FOR SELECT TO gateway_app USING (%s)', platform);
  EXECUTE format('CREATE POLICY of_platform_new ON gateway.business FOR INSERT TO gateway_app
                  WITH CHECK (%s AND NOT payments_enabled AND NOT payouts_enabled)', platform);
  EXECUTE format('CREATE POLICY of_platform_change ON gateway.business FOR UPDATE TO gateway_app USING (%s) WITH CHECK (%s)',
                 platform, platform);
  CREATE POLICY writes ON gateway.audit FOR INSERT TO gateway_app WITH CHECK (true);
END $policies$;
GRANT SELECT (id, platform_id, business_id, livemode, created, name, last4, expires_at, revoked_at, kind, scopes, addresses,
  last_used, rolled_to) ON gateway.api_key TO gateway_app;
GRANT INSERT ON gateway.api_key, gateway.business, gateway.audit TO gateway_app;
GRANT UPDATE (expires_at, revoked_at, rolled_to) ON gateway.api_key TO gateway_app;
GRANT UPDATE (updated, version, metadata, name, statement_descriptor, support_contact, settlement) ON gateway.business TO gateway_app;
REVOKE EXECUTE ON FUNCTION gateway.find_api_key(bytea, uuid), gateway.note_key_use(uuid[]),
  gateway.platform_events(uuid, boolean, text, uuid, uuid, integer), gateway.platform_event(uuid, boolean, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.find_api_key(bytea, uuid), gateway.note_key_use(uuid[]),
  gateway.platform_events(uuid, boolean, text, uuid, uuid, integer), gateway.platform_event(uuid, boolean, uuid) TO gateway_app;

-- A rotation of master keys writes sealed values again, and nothing else: whatever the table, only where the old value
-- still stands, and only one sealed value for another. Gives how many rows were written.
CREATE FUNCTION gateway.reseal(p_table text, p_column text, p_ids uuid[], p_old bytea[], p_new bytea[]) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  written integer;
BEGIN
  PERFORM set_config('app.resealing', 'on', true);
  EXECUTE format('UPDATE gateway.%1$I t SET %2$I = u.new FROM unnest($1, $2, $3) u (id, old, new)
                  WHERE t.id = u.id AND t.%2$I = u.old AND get_byte(u.old, 0) = 1 AND get_byte(u.new, 0) = 1
                    AND length(u.old) >= 30 AND length(u.new) - get_byte(u.new, 1) = length(u.old) - get_byte(u.old, 1)',
                 p_table, p_column) USING p_ids, p_old, p_new;
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written;
END $$;
REVOKE EXECUTE ON FUNCTION gateway.reseal(text, text, uuid[], bytea[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.reseal(text, text, uuid[], bytea[], bytea[]) TO gateway_operator;
RESET ROLE;
