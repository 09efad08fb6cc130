-- Money that arrives without being asked for: external records, receipts that are nobody's yet, addresses that live long.
SET ROLE gateway_owner;

-- Rows of the house (business_id all zeros) stand beside those of businesses: a connection's own address, and suspense.
ALTER TABLE gateway.reply_to
  DROP CONSTRAINT reply_to_business_id_fkey,
  DROP CONSTRAINT IF EXISTS reply_to_subject_kind_check,
  ADD CONSTRAINT reply_to_subject_kind_check CHECK (subject_kind ~ '^[a-z_]+$');

ALTER TABLE gateway.attempt
  ADD COLUMN pay_to boolean NOT NULL DEFAULT false,  -- the payer sends by himself
  ADD COLUMN idempotency_key bytea,            -- of the confirm that made it: an emptied store still makes no second prompt
  ADD CONSTRAINT attempt_idempotency UNIQUE (business_id, livemode, idempotency_key);

ALTER TABLE gateway.receipt
  DROP CONSTRAINT receipt_business_id_fkey,
  ALTER COLUMN payment_id DROP NOT NULL,
  ADD COLUMN sole boolean NOT NULL DEFAULT true,  -- the try's only receipt: the rail lets a try be paid once
  ADD COLUMN candidate_id uuid REFERENCES gateway.business,  -- whose it may be, by the tag that the payer typed
  ADD COLUMN typed_masked text,                -- what the payer typed, long numbers masked
  ADD CONSTRAINT receipt_house CHECK ((payment_id IS NULL) = (business_id = '00000000-0000-0000-0000-000000000000'));
DROP INDEX gateway.receipt_one_a_try;
CREATE UNIQUE INDEX receipt_one_a_try ON gateway.receipt (business_id, livemode, attempt_id) WHERE attempt_id IS NOT NULL AND sole;
CREATE INDEX receipt_of_candidate ON gateway.receipt (candidate_id, livemode, id) WHERE payment_id IS NULL;
CREATE INDEX receipt_numberless ON gateway.receipt (float_id, amount_units) WHERE receipt_number IS NULL;

-- How far a connection's word is trusted, and whether "may this be paid?" is answered with a look.
ALTER TABLE gateway.connection ADD COLUMN policy jsonb NOT NULL DEFAULT '{}';
GRANT SELECT (policy) ON gateway.connection TO gateway_app;

-- One row for each incoming sum that any provider ever named to us.
CREATE TABLE gateway.external_record (
  id                uuid PRIMARY KEY,
  business_id       uuid NOT NULL CHECK (business_id = '00000000-0000-0000-0000-000000000000'),
  livemode          boolean NOT NULL,
  created           timestamptz NOT NULL,
  updated           timestamptz NOT NULL,
  version           integer NOT NULL,
  connection_id     uuid NOT NULL,
  float_id          uuid NOT NULL,
  receipt_namespace text NOT NULL,
  receipt_number    text NOT NULL,
  reference         text,                      -- as typed; it may hold a person's number, so the reading role has no right
  state             text NOT NULL CHECK (state IN ('announced', 'unmatched', 'booked', 'suspense', 'conflict', 'dismissed')),
  owner_id          uuid,                      -- the business whose attempt it is, once known
  attempt_id        uuid,
  trusted           boolean NOT NULL,          -- its announcement came from an address that the operator trusts
  look_ups          integer NOT NULL,
  decided_units     numeric(38,0) CHECK (decided_units > 0),  -- the sum that a person took, where reports contradict
  decided_at        timestamptz,
  CONSTRAINT external_record_once UNIQUE (receipt_namespace, livemode, receipt_number),
  CONSTRAINT external_record_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT external_record_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
) WITH (fillfactor = 80);
CREATE INDEX external_record_by_state ON gateway.external_record (livemode, state, id);

-- How far a connection's history has been read.
CREATE TABLE gateway.history_cursor (
  connection_id uuid PRIMARY KEY,
  business_id   uuid NOT NULL CHECK (business_id = '00000000-0000-0000-0000-000000000000'),
  livemode      boolean NOT NULL,
  read_until    timestamptz NOT NULL,
  page          text,
  page_since    timestamptz,
  page_until    timestamptz,
  updated       timestamptz NOT NULL,
  CONSTRAINT history_cursor_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode)
);

DO $policies$
DECLARE
  word text;
  mine constant text := $p$business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['external_record', 'history_cursor'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY own ON gateway.%I TO gateway_worker USING (%s AND %s) WITH CHECK (%s AND %s)', word, mode, mine, mode, mine);
  END LOOP;
  -- A business sees what is nobody's and begins with its tag; it can change nothing of it but by take_receipt.
  EXECUTE format($p$CREATE POLICY candidate ON gateway.receipt FOR SELECT TO gateway_app
    USING (payment_id IS NULL AND candidate_id = NULLIF(current_setting('app.business', true), '')::uuid AND %s)$p$, mode);
END $policies$;

GRANT SELECT, INSERT, UPDATE ON gateway.external_record, gateway.history_cursor TO gateway_worker;
GRANT SELECT, INSERT, UPDATE ON gateway.external_record, gateway.history_cursor TO gateway_operator;
GRANT UPDATE (candidate_id, updated, version) ON gateway.receipt TO gateway_operator;

-- A reference as it is compared: blanks collapsed, capitals, and the letters that our references don't use read as digits.
CREATE FUNCTION gateway.plain_reference(p_text text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT translate(upper(btrim(regexp_replace(p_text, '\s+', ' ', 'g'))), 'OIL', '011')
$$;
CREATE INDEX attempt_by_plain_reference ON gateway.attempt (float_id, gateway.plain_reference(reference));

-- Whose an exact reference is: none, or the one try; two tries whose references look alike are nobody's.
CREATE FUNCTION gateway.find_reference(p_float uuid, p_livemode boolean, p_reference text)
  RETURNS TABLE (attempt_id uuid, business_id uuid, payment_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT (array_agg(a.id))[1], (array_agg(a.business_id))[1], (array_agg(a.payment_id))[1] FROM gateway.attempt a
  WHERE a.float_id = p_float AND a.livemode = p_livemode AND gateway.plain_reference(a.reference) = gateway.plain_reference(p_reference)
  HAVING count(*) = 1
$$;

-- Which one business's tag a reference begins with.
CREATE FUNCTION gateway.find_candidate(p_reference text) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT (array_agg(b.id))[1] FROM gateway.business b
  WHERE gateway.plain_reference(b.shop_tag) = (regexp_split_to_array(gateway.plain_reference(p_reference), '[- ]'))[1]
  HAVING count(*) = 1
$$;

-- Whether "may this be paid?" can be said of a reference: how much its payment still wants, NULL when nobody has it.
CREATE FUNCTION gateway.wanted_by(p_float uuid, p_livemode boolean, p_reference text) RETURNS numeric
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.due_units - p.received_units FROM gateway.find_reference(p_float, p_livemode, p_reference) f
  JOIN gateway.payment p ON p.id = f.payment_id
  WHERE p.state IN ('requires_payment_method', 'requires_action', 'processing') AND p.due_units > p.received_units
$$;

-- Whether a sum without a reference may be the one of a receipt without a number, or of a prompt that is still open.
CREATE FUNCTION gateway.is_ambiguous(p_float uuid, p_livemode boolean, p_units numeric) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM gateway.receipt r
      WHERE r.float_id = p_float AND r.livemode = p_livemode AND r.amount_units = p_units AND r.receipt_number IS NULL)
    OR EXISTS (SELECT FROM gateway.attempt a
      WHERE a.float_id = p_float AND a.livemode = p_livemode AND a.amount_units = p_units AND a.blocks_until IS NOT NULL
        AND a.state IN ('submitting', 'submitted', 'unknown', 'unresolved'))
$$;

-- Whose a reply address is, and what it is for: a door, before a business is known.
CREATE FUNCTION gateway.find_reply(p_hash bytea)
  RETURNS TABLE (reply_id uuid, connection_id uuid, code text, tag text, business_id uuid, livemode boolean, subject_kind text,
    subject_id uuid, purpose text, float_id uuid, policy jsonb)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, r.connection_id, c.code, c.tag, r.business_id, r.livemode, r.subject_kind, r.subject_id, r.purpose, c.float_id, c.policy
  FROM gateway.reply_to r JOIN gateway.connection c ON c.id = r.connection_id WHERE r.secret_hash = p_hash
$$;

-- Put the reading of a history where nobody has promised it: a connection that was just added, or a lost row.
CREATE FUNCTION gateway.promise_pulls(p_codes text[], p_queue text, p_lease_s integer, p_now timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  done integer;
BEGIN
  INSERT INTO gateway.outbox (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at)
  SELECT gateway.new_id(), '00000000-0000-0000-0000-000000000000', c.livemode, 'connection.pull', p_queue, p_lease_s, c.id, p_now
  FROM gateway.connection c WHERE c.code = ANY (p_codes)
    AND NOT EXISTS (SELECT FROM gateway.outbox o WHERE o.kind = 'connection.pull' AND o.subject_id = c.id AND o.done_at IS NULL)
  ON CONFLICT (kind, subject_id) WHERE done_at IS NULL DO NOTHING;
  GET DIAGNOSTICS done = ROW_COUNT;
  RETURN done;
END $$;

REVOKE EXECUTE ON FUNCTION gateway.find_reply, gateway.plain_reference, gateway.promise_pulls, gateway.find_reference, gateway.find_candidate, gateway.wanted_by, gateway.is_ambiguous
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.find_reply, gateway.wanted_by TO gateway_app;
GRANT EXECUTE ON FUNCTION gateway.promise_pulls TO gateway_worker, gateway_operator;
-- An index on attempts is made of it.
GRANT EXECUTE ON FUNCTION gateway.plain_reference TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.find_reference, gateway.find_candidate, gateway.is_ambiguous
  TO gateway_worker, gateway_operator;
RESET ROLE;
