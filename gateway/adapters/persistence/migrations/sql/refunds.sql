-- Money that goes back: refunds and their tries, reversals by the provider, what is owed then; quotes, and who bears a fee.
SET ROLE gateway_owner;

ALTER TABLE gateway.fee_schedule
  ADD COLUMN method text,                      -- a way to pay (`mpesa`); NULL = every way
  ADD COLUMN bearer text NOT NULL DEFAULT 'merchant' CHECK (bearer IN ('merchant', 'customer', 'split')),
  ADD COLUMN customer_bps integer NOT NULL DEFAULT 0 CHECK (customer_bps BETWEEN 0 AND 10000);

-- What became of a receipt's money after it was booked. An outside fact (reversed) isn't bounded by our own (refunded).
ALTER TABLE gateway.receipt
  ADD COLUMN refunded_units numeric(38,0) NOT NULL DEFAULT 0,
  ADD COLUMN reversed_units numeric(38,0) NOT NULL DEFAULT 0,
  ADD COLUMN over_spent_units numeric(38,0) NOT NULL DEFAULT 0,
  ADD CONSTRAINT receipt_refunded CHECK (refunded_units BETWEEN 0 AND amount_units),
  ADD CONSTRAINT receipt_reversed CHECK (reversed_units >= 0),
  ADD CONSTRAINT receipt_over_spent CHECK (over_spent_units BETWEEN 0 AND over_units);

CREATE TABLE gateway.refund (
  id                 uuid PRIMARY KEY,
  business_id        uuid NOT NULL REFERENCES gateway.business,
  livemode           boolean NOT NULL,
  created            timestamptz NOT NULL,
  updated            timestamptz NOT NULL,
  version            integer NOT NULL,
  metadata           jsonb NOT NULL,
  payment_id         uuid NOT NULL,
  currency           text NOT NULL,
  amount_units       numeric(38,0) NOT NULL CHECK (amount_units > 0),
  over_units         numeric(38,0) NOT NULL CHECK (over_units BETWEEN 0 AND amount_units),  -- of it, from overpayments
  sent_units         numeric(38,0) NOT NULL CHECK (sent_units BETWEEN 0 AND amount_units),  -- of it, proved to have gone
  parts              jsonb NOT NULL,           -- which receipts it draws on, and with how much
  destination        bytea,                    -- sealed; where the rail wants one
  destination_masked text,
  reason             text,
  state              text NOT NULL CHECK (state IN ('pending', 'submitted', 'unknown', 'succeeded', 'failed', 'canceled')),
  waiting_for        text,
  failure            jsonb,
  receipt_number     text,
  needs_attention    boolean NOT NULL,
  succeeded_at       timestamptz,
  attempts           integer NOT NULL CHECK (attempts >= 0),
  idempotency_key    bytea,
  fingerprint        bytea,
  CONSTRAINT refund_list UNIQUE (business_id, livemode, id),
  CONSTRAINT refund_idempotency UNIQUE (business_id, livemode, idempotency_key),
  CONSTRAINT refund_payment FOREIGN KEY (business_id, livemode, payment_id) REFERENCES gateway.payment (business_id, livemode, id)
) WITH (fillfactor = 80);
CREATE INDEX refund_of_payment ON gateway.refund (business_id, livemode, payment_id, id);
CREATE INDEX refund_by_state ON gateway.refund (business_id, livemode, state, id);

CREATE TABLE gateway.refund_attempt (
  id                 uuid PRIMARY KEY,
  refund_id          uuid NOT NULL,
  business_id        uuid NOT NULL REFERENCES gateway.business,
  livemode           boolean NOT NULL,
  created            timestamptz NOT NULL,
  updated            timestamptz NOT NULL,
  version            integer NOT NULL,
  number             integer NOT NULL,
  state              text NOT NULL CHECK (state IN ('created', 'submitting', 'submitted', 'unknown', 'succeeded', 'failed')),
  way                text NOT NULL CHECK (way IN ('rail', 'payout')),
  connection_id      uuid NOT NULL,
  code               text NOT NULL,
  float_id           uuid NOT NULL,
  receipt_id         uuid NOT NULL,
  reference          text NOT NULL,
  provider_reference bytea,                    -- sealed
  provider_reference_hmac bytea,               -- to find whose it is
  currency           text NOT NULL,
  amount_units       numeric(38,0) NOT NULL CHECK (amount_units > 0),
  submitted_at       timestamptz,
  failure            jsonb,
  receipt_number     text,
  look_ups           integer NOT NULL,
  looked_up_at       timestamptz,
  woken              integer,
  sends              integer NOT NULL,
  CONSTRAINT refund_attempt_list UNIQUE (business_id, livemode, id),
  CONSTRAINT refund_attempt_number UNIQUE (business_id, livemode, refund_id, number),
  CONSTRAINT refund_attempt_reference UNIQUE (connection_id, reference),
  CONSTRAINT refund_attempt_refund FOREIGN KEY (business_id, livemode, refund_id) REFERENCES gateway.refund (business_id, livemode, id),
  CONSTRAINT refund_attempt_receipt FOREIGN KEY (business_id, livemode, receipt_id) REFERENCES gateway.receipt (business_id, livemode, id),
  CONSTRAINT refund_attempt_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT refund_attempt_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX refund_attempt_one_live ON gateway.refund_attempt (business_id, livemode, refund_id) WHERE state NOT IN ('succeeded', 'failed');
CREATE INDEX refund_attempt_by_theirs ON gateway.refund_attempt (provider_reference_hmac) WHERE provider_reference_hmac IS NOT NULL;
CREATE INDEX refund_attempt_promised ON gateway.refund_attempt (float_id) WHERE state IN ('submitting', 'submitted', 'unknown');
CREATE INDEX refund_attempt_of_receipt ON gateway.refund_attempt (business_id, livemode, receipt_id);

-- An excess that the business kept: once each, with the fee that was due on it.
CREATE TABLE gateway.acceptance (
  id           uuid PRIMARY KEY,
  business_id  uuid NOT NULL REFERENCES gateway.business,
  livemode     boolean NOT NULL,
  created      timestamptz NOT NULL,
  payment_id   uuid NOT NULL,
  number       integer NOT NULL,
  amount_units numeric(38,0) NOT NULL CHECK (amount_units > 0),
  charge       jsonb NOT NULL,
  CONSTRAINT acceptance_number UNIQUE (business_id, livemode, payment_id, number),
  CONSTRAINT acceptance_payment FOREIGN KEY (business_id, livemode, payment_id) REFERENCES gateway.payment (business_id, livemode, id)
);

-- The provider took collected money back: once each, in a mode. Of money in suspense it is the house's, and goes with its
-- receipt to the business that the receipt turns out to be of.
CREATE TABLE gateway.reversal (
  id                uuid PRIMARY KEY,
  business_id       uuid NOT NULL,
  livemode          boolean NOT NULL,
  created           timestamptz NOT NULL,
  payment_id        uuid,                      -- NULL while the receipt is nobody's
  receipt_id        uuid NOT NULL,
  receipt_namespace text NOT NULL,
  reversal_number   text NOT NULL,
  currency          text NOT NULL,
  amount_units      numeric(38,0) NOT NULL CHECK (amount_units > 0),
  happened_at       timestamptz NOT NULL,
  grade             text NOT NULL,
  refund_id         uuid,                      -- it was our own refund; nothing is owed then
  CONSTRAINT reversal_once UNIQUE (receipt_namespace, livemode, reversal_number),
  CONSTRAINT reversal_receipt FOREIGN KEY (business_id, livemode, receipt_id) REFERENCES gateway.receipt (business_id, livemode, id)
    ON UPDATE CASCADE
);
CREATE INDEX reversal_of_business ON gateway.reversal (business_id, livemode, id);
CREATE INDEX reversal_of_receipt ON gateway.reversal (receipt_id);

-- What was moved to a debt; `number` counts the sweeps of a business.
CREATE TABLE gateway.recovery (
  id           uuid PRIMARY KEY,
  business_id  uuid NOT NULL REFERENCES gateway.business,
  livemode     boolean NOT NULL,
  created      timestamptz NOT NULL,
  number       integer NOT NULL,
  amount_units numeric(38,0) NOT NULL CHECK (amount_units > 0),
  CONSTRAINT recovery_number UNIQUE (business_id, livemode, number)
);

CREATE TABLE gateway.quote (
  id              uuid PRIMARY KEY,
  business_id     uuid NOT NULL REFERENCES gateway.business,
  livemode        boolean NOT NULL,
  created         timestamptz NOT NULL,
  type            text NOT NULL CHECK (type IN ('payment', 'payout')),
  method          text NOT NULL,
  currency        text NOT NULL,
  amount_units    numeric(38,0) NOT NULL CHECK (amount_units > 0),
  due_units       numeric(38,0) NOT NULL CHECK (due_units >= amount_units),
  customer_units  numeric(38,0) NOT NULL CHECK (customer_units >= 0),
  rounding_units  numeric(38,0) NOT NULL CHECK (rounding_units >= 0),
  charge          jsonb NOT NULL,
  schedule        jsonb NOT NULL,
  expires_at      timestamptz NOT NULL,
  idempotency_key bytea,
  fingerprint     bytea,
  CONSTRAINT quote_list UNIQUE (business_id, livemode, id),
  CONSTRAINT quote_idempotency UNIQUE (business_id, livemode, idempotency_key)
);

DO $policies$
DECLARE
  word text;
  mine constant text := $p$business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['refund', 'refund_attempt', 'acceptance', 'reversal', 'recovery', 'quote'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY own ON gateway.%I TO gateway_app, gateway_worker, gateway_read USING (%s AND %s) WITH CHECK (%s AND %s)',
      word, mode, mine, mode, mine);
  END LOOP;
END $policies$;

GRANT SELECT ON gateway.refund, gateway.refund_attempt, gateway.acceptance, gateway.reversal, gateway.quote TO gateway_app;
GRANT INSERT ON gateway.refund, gateway.acceptance, gateway.quote TO gateway_app;
GRANT UPDATE ON gateway.refund, gateway.refund_attempt TO gateway_app;
GRANT UPDATE (updated, version, refunded_units, over_spent_units, available_on, released_at, reversed_units) ON gateway.receipt TO gateway_app;
GRANT SELECT ON gateway.refund, gateway.refund_attempt, gateway.acceptance, gateway.reversal, gateway.recovery, gateway.quote TO gateway_worker;
GRANT INSERT ON gateway.refund_attempt, gateway.reversal, gateway.recovery TO gateway_worker;
GRANT UPDATE ON gateway.refund, gateway.refund_attempt TO gateway_worker;
GRANT UPDATE (updated, version, refunded_units, over_spent_units, reversed_units) ON gateway.receipt TO gateway_worker;
GRANT SELECT, INSERT ON gateway.refund, gateway.refund_attempt, gateway.acceptance, gateway.reversal, gateway.recovery, gateway.quote TO gateway_operator;
GRANT UPDATE ON gateway.refund, gateway.refund_attempt TO gateway_operator;
GRANT UPDATE (updated, version, refunded_units, over_spent_units, reversed_units) ON gateway.receipt TO gateway_operator;
GRANT SELECT (id, business_id, livemode, created, updated, version, metadata, payment_id, currency, amount_units, over_units, sent_units, reason,
  state, waiting_for, failure, receipt_number, needs_attention, succeeded_at, attempts) ON gateway.refund TO gateway_read;
GRANT SELECT ON gateway.acceptance, gateway.reversal TO gateway_read;

-- Whose a receipt number is, and which debt of the business is open: ids only.
CREATE FUNCTION gateway.find_receipt(p_namespace text, p_number text, p_livemode boolean)
  RETURNS TABLE (receipt_id uuid, business_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, r.business_id FROM gateway.receipt r
  WHERE r.receipt_namespace = p_namespace AND r.receipt_number = p_number AND r.livemode = p_livemode
$$;

-- The connection whose provider named a receipt of the unit's business first: where no try of ours brought it, it came
-- over that one.
CREATE FUNCTION gateway.find_origin(p_receipt uuid) RETURNS TABLE (connection_id uuid, code text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.id, c.code FROM gateway.receipt r JOIN gateway.external_record e
    ON e.receipt_namespace = r.receipt_namespace AND e.livemode = r.livemode AND e.receipt_number = r.receipt_number
  JOIN gateway.connection c ON c.id = e.connection_id
  WHERE r.id = p_receipt AND r.business_id = NULLIF(current_setting('app.business', true), '')::uuid
    AND r.livemode = NULLIF(current_setting('app.livemode', true), '')::boolean
$$;

-- Which orders of ours, of any business, the provider knows under an id, by the keyed hash of it.
CREATE FUNCTION gateway.find_orders(p_hmac bytea, p_livemode boolean) RETURNS TABLE (attempt_id uuid, code text, over_rail boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.id, a.channel, false FROM gateway.payout_attempt a WHERE a.provider_reference_hmac = p_hmac AND a.livemode = p_livemode
  UNION ALL
  SELECT a.id, a.code, a.way = 'rail' FROM gateway.refund_attempt a WHERE a.provider_reference_hmac = p_hmac AND a.livemode = p_livemode
$$;

-- What is promised of a float: payouts and refunds whose money may leave, or has left without our knowing yet.
CREATE FUNCTION gateway.promised_of(p_float uuid, p_but uuid) RETURNS numeric
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE((SELECT sum(a.amount_units) FROM gateway.payout_attempt a
      WHERE a.float_id = p_float AND a.state IN ('submitting', 'in_transit', 'unknown') AND a.payout_id <> p_but), 0)
    + COALESCE((SELECT sum(a.amount_units) FROM gateway.refund_attempt a
      WHERE a.float_id = p_float AND a.state IN ('submitting', 'submitted', 'unknown') AND a.refund_id <> p_but), 0)
$$;

CREATE FUNCTION gateway.held_on(p_float uuid, p_livemode boolean, p_currency text) RETURNS numeric
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(sum(b.dr - b.cr), 0) FROM ledger.balance_now b JOIN ledger.account a ON a.id = b.account_id
  WHERE a.path = 'float:' || gateway.public_id('flt', p_float) AND a.livemode = p_livemode AND a.asset = p_currency
$$;

-- How much is missing on a float for the payouts that wait for it: 0 when they can all go.
CREATE FUNCTION gateway.float_short(p_float uuid) RETURNS numeric
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT GREATEST(0, COALESCE((SELECT sum(p.amount_units) FROM gateway.payout p WHERE p.waits_on_float = f.id AND p.state = 'queued'), 0)
    + gateway.promised_of(f.id, '00000000-0000-0000-0000-000000000000') - gateway.held_on(f.id, f.livemode, f.currency))
  FROM gateway.float f WHERE f.id = p_float
$$;

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
  held := gateway.held_on(p_float, me.livemode, me.currency);
  promised := gateway.promised_of(p_float, p_payout);
  SELECT COALESCE(sum(p.amount_units), 0) INTO older FROM gateway.payout p
  WHERE p.livemode = me.livemode AND p.destination_kind = me.destination_kind AND p.state = 'queued' AND p.id < p_payout
    AND p.currency = me.currency AND (p.waits_on_float IS NULL OR p.waits_on_float = p_float)
    AND NOT EXISTS (SELECT FROM gateway.payout_attempt a WHERE a.payout_id = p.id AND a.state = 'created' AND a.float_id <> p_float);
  IF held - promised - older >= p_units THEN
    UPDATE gateway.payout SET waits_on_float = NULL WHERE id = p_payout AND waits_on_float IS NOT NULL;
    IF FOUND THEN
      PERFORM gateway.settle_float_alert(p_float);
    END IF;
    RETURN true;
  END IF;
  UPDATE gateway.payout SET waits_on_float = p_float WHERE id = p_payout AND waits_on_float IS DISTINCT FROM p_float;
  RETURN false;
END $$;

-- The same for a refund, which goes ahead of payouts that wait: it gives back what the float was paid.
CREATE FUNCTION gateway.promise_refund(p_float uuid, p_refund uuid, p_units numeric) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me gateway.refund;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('float:' || p_float, 0));
  SELECT r.* INTO me FROM gateway.refund r JOIN gateway.float f ON f.id = p_float AND f.livemode = r.livemode
  WHERE r.id = p_refund AND r.business_id = NULLIF(current_setting('app.business', true), '')::uuid;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  RETURN gateway.held_on(p_float, me.livemode, me.currency) - gateway.promised_of(p_float, p_refund) >= p_units;
END $$;

-- Give a receipt that is nobody's to the unit's business: once, whoever asks at the same time. Web may take only what
-- bears its business as candidate; workers and operators act on proof or on a person's word. What the provider took back
-- of it meanwhile goes with it.
CREATE FUNCTION gateway.take_receipt(p_receipt uuid, p_payment uuid, p_attempt uuid, p_sole boolean, p_due numeric, p_over numeric,
    p_charge jsonb, p_bucket text, p_available_on timestamptz, p_now timestamptz) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine constant uuid := NULLIF(current_setting('app.business', true), '')::uuid;
  mode constant boolean := NULLIF(current_setting('app.livemode', true), '')::boolean;
  trusted constant boolean := pg_has_role(session_user, 'gateway_worker', 'MEMBER') OR pg_has_role(session_user, 'gateway_operator', 'MEMBER');
BEGIN
  UPDATE gateway.receipt r SET business_id = mine, payment_id = p_payment, attempt_id = p_attempt, sole = p_sole, due_units = p_due,
    over_units = p_over, charge = p_charge, bucket = p_bucket, available_on = p_available_on, updated = p_now, version = r.version + 1
  WHERE r.id = p_receipt AND r.livemode = mode AND r.payment_id IS NULL AND (trusted OR r.candidate_id = mine);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE gateway.reversal v SET payment_id = p_payment WHERE v.receipt_id = p_receipt AND v.payment_id IS NULL;
  RETURN true;
END $$;

-- A receipt of the house by its number, for the proof that finds whose it is.
CREATE FUNCTION gateway.find_loose(p_namespace text, p_number text)
  RETURNS TABLE (id uuid, created timestamptz, float_id uuid, amount_units numeric, currency text, happened_at timestamptz, payer_hint text,
    version integer, reversed_units numeric)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, r.created, r.float_id, r.amount_units, r.currency, r.happened_at, r.payer_hint, r.version, r.reversed_units
  FROM gateway.receipt r WHERE r.receipt_namespace = p_namespace AND r.receipt_number = p_number AND r.payment_id IS NULL
    AND r.livemode = NULLIF(current_setting('app.livemode', true), '')::boolean FOR UPDATE
$$;
REVOKE EXECUTE ON FUNCTION gateway.find_receipt, gateway.promised_of, gateway.held_on, gateway.float_short,
  gateway.promise_float, gateway.promise_refund, gateway.take_receipt, gateway.find_loose,
  gateway.find_orders, gateway.find_origin FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.find_receipt, gateway.find_loose, gateway.find_orders TO gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.take_receipt, gateway.find_origin TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.promise_refund, gateway.float_short TO gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.promise_float TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.public_id TO gateway_operator;
RESET ROLE;
