-- What isolates one connection's faults from the others: its calls a second, its breaker. Its lane stands in connections_lanes.sql.
SET ROLE gateway_owner;

CREATE TABLE gateway.connection_health (
  connection_id uuid PRIMARY KEY,
  livemode      boolean NOT NULL,
  state         text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
  recent        text NOT NULL DEFAULT '',      -- what the newest calls came to since the first fault: f a fault, a an answer
  opens         integer NOT NULL DEFAULT 0,    -- how often it opened since it was last closed
  opened_at     timestamptz,
  probe_at      timestamptz,                   -- by the unit's clock: one row is let through then, the probe
  probe_id      uuid,                          -- which due row that is: no other goes while somebody is at it
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

ALTER TABLE gateway.connection_health ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateway.connection_health FORCE ROW LEVEL SECURITY;
CREATE POLICY every ON gateway.connection_health TO gateway_operator USING (true) WITH CHECK (true);
CREATE POLICY doors ON gateway.connection_health TO gateway_owner USING (true) WITH CHECK (true);
CREATE POLICY pooled ON gateway.connection_health TO gateway_app, gateway_worker, gateway_read
  USING (livemode = NULLIF(current_setting('app.livemode', true), '')::boolean)
  WITH CHECK (livemode = NULLIF(current_setting('app.livemode', true), '')::boolean);
INSERT INTO gateway.connection_health (connection_id, livemode) SELECT c.id, c.livemode FROM gateway.connection c;

GRANT SELECT ON gateway.connection_health TO gateway_app, gateway_worker, gateway_operator;
GRANT UPDATE (state, recent, opens, opened_at, probe_at, reason, hold_until, retries) ON gateway.connection_health TO gateway_worker, gateway_operator;
REVOKE ALL ON FUNCTION gateway.add_health, gateway.is_well, gateway.spend_retry, gateway.settle_degraded FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.is_well, gateway.spend_retry, gateway.settle_degraded TO gateway_worker, gateway_operator;
RESET ROLE;
