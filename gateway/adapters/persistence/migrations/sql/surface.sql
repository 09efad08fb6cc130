-- Payment links, their visitors' forms, and the log of requests.
SET ROLE gateway_owner;

CREATE TABLE gateway.payment_link (
  id              uuid PRIMARY KEY,
  business_id     uuid NOT NULL REFERENCES gateway.business,
  livemode        boolean NOT NULL,
  created         timestamptz NOT NULL,
  updated         timestamptz NOT NULL,
  version         integer NOT NULL,
  metadata        jsonb NOT NULL,
  currency        text NOT NULL,
  amount_units    numeric(38, 0),              -- NULL: the visitor types it, within the bounds
  amount_min      numeric(38, 0),
  amount_max      numeric(38, 0),
  description     text,
  max_uses        integer CHECK (max_uses > 0),
  uses            integer NOT NULL DEFAULT 0 CHECK (uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)),
  expires_at      timestamptz,
  active          boolean NOT NULL,
  success_url     text,
  secret          bytea NOT NULL,              -- sealed: the business may print the link again
  secret_hash     bytea NOT NULL CHECK (length(secret_hash) = 32),
  idempotency_key bytea,
  fingerprint     bytea,
  CONSTRAINT payment_link_list UNIQUE (business_id, livemode, id),
  CONSTRAINT payment_link_idempotency UNIQUE (business_id, livemode, idempotency_key),
  CONSTRAINT payment_link_secret UNIQUE (secret_hash)
);

-- One row a form that was posted: the same form makes one session, however often it is sent.
CREATE TABLE gateway.link_use (
  id             uuid PRIMARY KEY,
  business_id    uuid NOT NULL,
  livemode       boolean NOT NULL,
  created        timestamptz NOT NULL,
  link_id        uuid NOT NULL,
  token_hash     bytea NOT NULL CHECK (length(token_hash) = 32),
  session_id     uuid NOT NULL,
  payment_id     uuid NOT NULL,
  session_secret bytea NOT NULL,               -- sealed: a form sent twice leads to the same page
  CONSTRAINT link_use_once UNIQUE (business_id, livemode, link_id, token_hash),
  CONSTRAINT link_use_link FOREIGN KEY (business_id, livemode, link_id) REFERENCES gateway.payment_link (business_id, livemode, id)
);
CREATE INDEX link_use_list ON gateway.link_use (business_id, livemode, link_id, id);

CREATE TABLE gateway.request_log (
  id              uuid PRIMARY KEY,            -- the request's own
  business_id     uuid NOT NULL,
  livemode        boolean NOT NULL,
  at              timestamptz NOT NULL,
  key_id          uuid,
  method          text NOT NULL,
  route           text,
  status          integer NOT NULL,
  duration_ms     integer NOT NULL,
  code            text,
  idempotency_key bytea,                       -- a hash
  request         jsonb,                       -- redacted, of refused calls alone
  response        jsonb,
  CONSTRAINT request_log_list UNIQUE (business_id, livemode, id)
);

CREATE FUNCTION gateway.find_link(p_hash bytea) RETURNS TABLE (link_id uuid, business_id uuid, livemode boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.id, l.business_id, l.livemode FROM gateway.payment_link l WHERE l.secret_hash = p_hash
$$;

-- Many requests in one statement, of all businesses that a web process served: it runs as the owner, and only writes.
CREATE FUNCTION gateway.keep_requests(p_rows jsonb) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO gateway.request_log (id, business_id, livemode, at, key_id, method, route, status, duration_ms, code, idempotency_key, request, response)
  SELECT r.id, r.business_id, r.livemode, r.at, r.key_id, r.method, r.route, r.status, r.duration_ms, r.code,
         decode(r.idempotency_key, 'hex'), r.request, r.response
  FROM jsonb_to_recordset(p_rows) AS r (id uuid, business_id uuid, livemode boolean, at timestamptz, key_id uuid, method text, route text,
         status integer, duration_ms integer, code text, idempotency_key text, request jsonb, response jsonb)
  ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION gateway.sweep_requests(p_before uuid, p_limit integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n integer;
BEGIN
  DELETE FROM gateway.request_log WHERE id IN (SELECT r.id FROM gateway.request_log r WHERE r.id < p_before ORDER BY r.id LIMIT p_limit
                                               FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;

DO $policies$
DECLARE
  word text;
  mine constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean
    AND business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['payment_link', 'link_use', 'request_log'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY own ON gateway.%I TO gateway_app, gateway_worker, gateway_read USING (%s) WITH CHECK (%s)', word, mine, mine);
  END LOOP;
END $policies$;

GRANT SELECT, INSERT ON gateway.payment_link, gateway.link_use TO gateway_app, gateway_operator;
GRANT UPDATE (updated, version, metadata, description, max_uses, uses, expires_at, active, success_url) ON gateway.payment_link TO gateway_app, gateway_operator;
GRANT SELECT ON gateway.request_log TO gateway_app, gateway_operator;
REVOKE ALL ON FUNCTION gateway.find_link, gateway.keep_requests, gateway.sweep_requests FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.find_link, gateway.keep_requests TO gateway_app;
GRANT EXECUTE ON FUNCTION gateway.sweep_requests TO gateway_worker, gateway_operator;
RESET ROLE;
