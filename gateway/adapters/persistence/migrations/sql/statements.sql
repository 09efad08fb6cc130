-- Providers' statements: each file once, each line once, and what became of it.
SET ROLE gateway_owner;

CREATE TABLE gateway.statement (
  id                uuid PRIMARY KEY,
  business_id       uuid NOT NULL CHECK (business_id = '00000000-0000-0000-0000-000000000000'),
  livemode          boolean NOT NULL,
  created           timestamptz NOT NULL,
  updated           timestamptz NOT NULL,
  connection_id     uuid NOT NULL,
  float_id          uuid NOT NULL,
  receipt_namespace text NOT NULL,
  name              text NOT NULL,             -- the file's, long numbers masked
  sha256            bytea NOT NULL CHECK (length(sha256) = 32),
  account           text NOT NULL,
  currency          text NOT NULL,
  since             timestamptz,
  until             timestamptz,
  opening_units     numeric(38,0),
  closing_units     numeric(38,0),
  lines             integer NOT NULL CHECK (lines >= 0),
  known             integer NOT NULL CHECK (known BETWEEN 0 AND lines),  -- of them, in earlier files
  state             text NOT NULL CHECK (state IN ('settling', 'settled')),
  looks             integer NOT NULL,
  CONSTRAINT statement_once UNIQUE (connection_id, sha256),
  CONSTRAINT statement_in_mode UNIQUE (id, livemode),
  CONSTRAINT statement_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT statement_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
);

CREATE TABLE gateway.statement_line (
  id               uuid PRIMARY KEY,
  business_id      uuid NOT NULL CHECK (business_id = '00000000-0000-0000-0000-000000000000'),
  livemode         boolean NOT NULL,
  statement_id     uuid NOT NULL,              -- the first file that had it
  float_id         uuid NOT NULL,
  "row"            integer NOT NULL,
  kind             text NOT NULL,
  receipt_number   text NOT NULL,
  happened_at      timestamptz NOT NULL,
  currency         text NOT NULL,
  amount_units     numeric(38,0) NOT NULL CHECK (amount_units > 0),
  comes_in         boolean NOT NULL,
  completed        boolean NOT NULL,
  place            integer NOT NULL CHECK (place > 0),  -- which one of its like in the file
  reference        text,                       -- as typed; it may hold a person's number, so the reading role has no right
  original_receipt text,
  payer_hint       text,                       -- masked by the adapter
  balance_units    numeric(38,0),
  detail           text NOT NULL,
  outcome          text CHECK (outcome IN ('not_completed', 'recorded', 'booked', 'matched', 'conflict', 'unmatched', 'noted')),
  matched_kind     text,
  matched_id       uuid,
  settled_at       timestamptz,
  CONSTRAINT statement_line_once UNIQUE (float_id, receipt_number, kind, comes_in, amount_units, completed, place),
  CONSTRAINT statement_line_statement FOREIGN KEY (statement_id, livemode) REFERENCES gateway.statement (id, livemode),
  CONSTRAINT statement_line_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
) WITH (fillfactor = 80);
CREATE INDEX statement_line_of ON gateway.statement_line (statement_id, "row");
CREATE INDEX statement_line_open ON gateway.statement_line (statement_id, kind, "row") WHERE outcome IS NULL;
-- Lines whose original nobody has yet.
CREATE INDEX statement_line_waiting ON gateway.statement_line (original_receipt, statement_id)
  WHERE original_receipt IS NOT NULL AND kind IN ('reversal', 'return') AND COALESCE(outcome, 'unmatched') = 'unmatched';

-- A line names money that left by its receipt number.
CREATE INDEX payout_attempt_by_receipt ON gateway.payout_attempt (float_id, receipt_number) WHERE receipt_number IS NOT NULL;
CREATE INDEX refund_attempt_by_receipt ON gateway.refund_attempt (float_id, receipt_number) WHERE receipt_number IS NOT NULL;
CREATE INDEX report_of_money_out ON gateway.report (receipt_number)
  WHERE receipt_number IS NOT NULL AND subject_kind IN ('payout_attempt', 'refund_payout', 'own_transfer');

DO $policies$
DECLARE
  word text;
  mine constant text := $p$business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['statement', 'statement_line'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY own ON gateway.%I TO gateway_worker USING (%s AND %s) WITH CHECK (%s AND %s)', word, mode, mine, mode, mine);
  END LOOP;
END $policies$;

-- An operator brings files in and changes none; a worker writes down what became of them.
GRANT SELECT, INSERT ON gateway.statement, gateway.statement_line TO gateway_operator;
GRANT SELECT ON gateway.statement, gateway.statement_line TO gateway_worker;
GRANT UPDATE (updated, state, looks) ON gateway.statement TO gateway_worker;
GRANT UPDATE (outcome, matched_kind, matched_id, settled_at) ON gateway.statement_line TO gateway_worker;

-- In one go what tells nothing new: what wasn't done, what nobody acts on, receipts and payouts that the books have with
-- this number and sum. A busy shop's statement is hardly anything else.
CREATE FUNCTION gateway.settle_known_lines(p_statement uuid, p_now timestamptz) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mode constant boolean := NULLIF(current_setting('app.livemode', true), '')::boolean;
  file gateway.statement;
  done integer;
  more integer;
BEGIN
  SELECT s.* INTO file FROM gateway.statement s WHERE s.id = p_statement AND s.livemode = mode FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  UPDATE gateway.statement_line l SET settled_at = p_now,
    outcome = CASE WHEN l.completed THEN 'noted' ELSE 'not_completed' END
  WHERE l.statement_id = p_statement AND l.outcome IS NULL AND (NOT l.completed OR l.kind = 'other'
    OR (l.kind = 'own' AND NOT EXISTS (SELECT FROM gateway.own_transfer o WHERE o.livemode = mode
      AND l.float_id = CASE WHEN l.comes_in THEN o.target_id ELSE o.source_id END))
    OR (l.kind <> 'own' AND l.comes_in <> (l.kind IN ('collection', 'return'))));
  GET DIAGNOSTICS done = ROW_COUNT;
  UPDATE gateway.statement_line l SET settled_at = p_now, outcome = 'recorded', matched_kind = 'receipt', matched_id = r.id
  FROM gateway.receipt r
  WHERE l.statement_id = p_statement AND l.outcome IS NULL AND l.kind = 'collection'
    AND r.receipt_namespace = file.receipt_namespace AND r.livemode = mode AND r.receipt_number = l.receipt_number
    AND r.amount_units = l.amount_units AND r.float_id = l.float_id AND r.currency = l.currency;
  GET DIAGNOSTICS more = ROW_COUNT;
  done := done + more;
  UPDATE gateway.statement_line l SET settled_at = p_now, outcome = 'matched', matched_kind = 'payout', matched_id = a.payout_id
  FROM gateway.payout_attempt a
  WHERE l.statement_id = p_statement AND l.outcome IS NULL AND l.kind = 'payout'
    AND a.float_id = l.float_id AND a.receipt_number = l.receipt_number AND a.amount_units = l.amount_units
    AND a.currency = l.currency AND a.state = 'succeeded';
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN done + more;
END $$;

-- The try of ours that sent money under a number: by what it is booked with, by what a report of it named, by our own
-- reference where the provider prints it. Two of the same rank are none.
CREATE FUNCTION gateway.find_money_out(p_float uuid, p_livemode boolean, p_number text, p_reference text)
  RETURNS TABLE (kind text, attempt_id uuid, object_id uuid, business_id uuid, amount_units numeric, receipt_number text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH named AS (
    SELECT 1 AS rank, 'payout_attempt' AS kind, a.id FROM gateway.payout_attempt a
      WHERE a.float_id = p_float AND a.livemode = p_livemode AND a.receipt_number = p_number
    UNION SELECT 1, 'refund_attempt', a.id FROM gateway.refund_attempt a
      WHERE a.float_id = p_float AND a.livemode = p_livemode AND a.receipt_number = p_number AND a.way = 'payout'
    UNION SELECT 2, 'payout_attempt', a.id FROM gateway.report r JOIN gateway.payout_attempt a ON a.id = r.subject_id
      WHERE r.receipt_number = p_number AND r.subject_kind = 'payout_attempt' AND r.receipt_number IS NOT NULL
        AND a.float_id = p_float AND a.livemode = p_livemode
    UNION SELECT 2, 'refund_attempt', a.id FROM gateway.report r JOIN gateway.refund_attempt a ON a.id = r.subject_id
      WHERE r.receipt_number = p_number AND r.subject_kind = 'refund_payout' AND r.receipt_number IS NOT NULL
        AND a.float_id = p_float AND a.livemode = p_livemode
    UNION SELECT 3, 'payout_attempt', a.id FROM gateway.connection c JOIN gateway.payout_attempt a ON a.connection_id = c.id
      WHERE c.float_id = p_float AND a.reference = p_reference AND a.float_id = p_float AND a.livemode = p_livemode
    UNION SELECT 3, 'refund_attempt', a.id FROM gateway.connection c JOIN gateway.refund_attempt a ON a.connection_id = c.id
      WHERE c.float_id = p_float AND a.reference = p_reference AND a.way = 'payout' AND a.float_id = p_float
        AND a.livemode = p_livemode
  ), best AS (
    SELECT (array_agg(n.kind))[1] AS kind, (array_agg(n.id))[1] AS id FROM named n
    WHERE n.rank = (SELECT min(m.rank) FROM named m) HAVING count(*) = 1
  )
  SELECT b.kind, a.id, a.payout_id, a.business_id, a.amount_units, a.receipt_number
    FROM best b JOIN gateway.payout_attempt a ON b.kind = 'payout_attempt' AND a.id = b.id
  UNION ALL SELECT b.kind, a.id, a.refund_id, a.business_id, a.amount_units, a.receipt_number
    FROM best b JOIN gateway.refund_attempt a ON b.kind = 'refund_attempt' AND a.id = b.id
$$;

-- Reversals and returns that fitted nothing when they were looked at, and whose original is known by now.
CREATE FUNCTION gateway.late_lines(p_statement uuid) RETURNS TABLE (line_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.id FROM gateway.statement s JOIN gateway.statement_line l ON l.statement_id = s.id
  WHERE s.id = p_statement AND l.outcome = 'unmatched' AND l.original_receipt IS NOT NULL
    AND ((l.kind = 'reversal' AND EXISTS (SELECT FROM gateway.find_receipt(s.receipt_namespace, l.original_receipt, s.livemode)))
      OR (l.kind = 'return' AND EXISTS (SELECT FROM gateway.find_money_out(l.float_id, s.livemode, l.original_receipt, NULL))))
  ORDER BY l."row"
$$;

-- Payouts that the books call paid inside the statement's period, with a margin at its edges, and no statement shows.
CREATE FUNCTION gateway.payouts_missing(p_statement uuid)
  RETURNS TABLE (payout_id uuid, business_id uuid, receipt_number text, amount_units numeric, currency text, paid_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.id, p.business_id, a.receipt_number, a.amount_units, a.currency, p.paid_at
  FROM gateway.statement s
  CROSS JOIN LATERAL (SELECT min(l.happened_at) AS first, max(l.happened_at) AS last FROM gateway.statement_line l
    WHERE l.statement_id = s.id) e
  JOIN gateway.payout_attempt a ON a.float_id = s.float_id AND a.livemode = s.livemode AND a.state = 'succeeded'
  JOIN gateway.payout p ON p.id = a.payout_id
  WHERE s.id = p_statement
    AND p.paid_at BETWEEN COALESCE(s.since, e.first) + interval '10 minutes' AND COALESCE(s.until, e.last) - interval '10 minutes'
    AND NOT EXISTS (SELECT FROM gateway.statement_line l WHERE l.float_id = s.float_id AND l.kind = 'payout' AND l.completed
      AND l.receipt_number = a.receipt_number)
    AND NOT EXISTS (SELECT FROM gateway.statement_line l WHERE l.statement_id = s.id AND l.matched_kind = 'payout'
      AND l.matched_id = p.id)
  ORDER BY p.paid_at, p.id
$$;

-- What the books say a float held at a moment: what it holds, less what happened after that moment.
CREATE FUNCTION gateway.held_on_at(p_float uuid, p_livemode boolean, p_currency text, p_at timestamptz) RETURNS numeric
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT gateway.held_on(p_float, p_livemode, p_currency) - COALESCE((
    SELECT sum(CASE WHEN l.debit_id = a.id THEN l.amount ELSE -l.amount END)
    FROM ledger.account a
    JOIN ledger.leg l ON (l.debit_id = a.id OR l.credit_id = a.id) AND l.phase IN ('P', 'C')
    JOIN ledger.journal j ON j.id = l.journal_id
    WHERE a.path = 'float:' || gateway.public_id('flt', p_float) AND a.livemode = p_livemode AND a.asset = p_currency
      AND j.effective_at > p_at), 0)
$$;

-- How many of a statement's collections the books have with another sum, or as a contradiction.
CREATE FUNCTION gateway.statement_conflicts(p_statement uuid) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FROM gateway.statement s JOIN gateway.statement_line l ON l.statement_id = s.id
  LEFT JOIN gateway.receipt r ON r.receipt_namespace = s.receipt_namespace AND r.livemode = s.livemode
    AND r.receipt_number = l.receipt_number
  LEFT JOIN gateway.external_record e ON e.receipt_namespace = s.receipt_namespace AND e.livemode = s.livemode
    AND e.receipt_number = l.receipt_number
  WHERE s.id = p_statement AND l.outcome = 'recorded'
    AND (r.amount_units <> l.amount_units OR (r.id IS NULL AND e.state = 'conflict'))
$$;

-- Lines with what became of them as it stands now: of money in, what its receipt or its record says; of what was
-- unmatched, what has been learnt since. With the reader's
-- own rights: only operators see receipts of every business.
CREATE VIEW gateway.statement_line_now WITH (security_invoker = true) AS
  SELECT l.statement_id, l."row", l.kind, l.receipt_number, l.happened_at, l.currency, l.amount_units, l.comes_in, l.reference,
    l.original_receipt, l.payer_hint, l.detail,
    CASE WHEN l.outcome IS NULL THEN 'open'
      WHEN l.outcome = 'unmatched' AND COALESCE(a.id, v.id) IS NOT NULL THEN 'matched'
      WHEN l.outcome = 'noted' AND o.id IS NOT NULL THEN 'matched'
      WHEN l.outcome <> 'recorded' THEN l.outcome
      WHEN r.amount_units <> l.amount_units THEN 'conflict'
      WHEN r.payment_id IS NOT NULL THEN 'booked'
      WHEN r.reversed_units >= r.amount_units THEN 'reversed'
      WHEN r.id IS NOT NULL THEN 'suspense'
      ELSE COALESCE(e.state, 'unmatched') END AS became,
    CASE WHEN r.payment_id IS NOT NULL OR (v.payment_id IS NOT NULL AND v.refund_id IS NULL) THEN 'payment'
      WHEN r.id IS NOT NULL OR (v.id IS NOT NULL AND v.refund_id IS NULL) THEN 'receipt'
      WHEN v.refund_id IS NOT NULL THEN 'refund'
      WHEN a.id IS NOT NULL THEN 'payout'
      WHEN o.id IS NOT NULL THEN 'own_transfer'
      ELSE l.matched_kind END AS matched_kind,
    COALESCE(r.payment_id, r.id, v.refund_id, v.payment_id, v.receipt_id, a.payout_id, o.id, l.matched_id) AS matched_id
  FROM gateway.statement s JOIN gateway.statement_line l ON l.statement_id = s.id
  LEFT JOIN gateway.receipt r ON l.outcome = 'recorded' AND r.receipt_namespace = s.receipt_namespace
    AND r.livemode = s.livemode AND r.receipt_number = l.receipt_number
  LEFT JOIN gateway.external_record e ON l.outcome = 'recorded' AND e.receipt_namespace = s.receipt_namespace
    AND e.livemode = s.livemode AND e.receipt_number = l.receipt_number
  LEFT JOIN gateway.reversal v ON l.kind = 'reversal' AND v.receipt_namespace = s.receipt_namespace
    AND v.livemode = s.livemode AND v.reversal_number = l.receipt_number
  -- A payout whose number was learnt after the line had been called unmatched.
  LEFT JOIN LATERAL (SELECT a.id, a.payout_id FROM gateway.payout_attempt a
    WHERE l.kind = 'payout' AND l.outcome = 'unmatched' AND a.float_id = l.float_id AND a.receipt_number = l.receipt_number
      AND a.amount_units = l.amount_units AND a.state = 'succeeded' LIMIT 1) a ON true
  -- A move of our own money likewise.
  LEFT JOIN LATERAL (SELECT o.id FROM gateway.own_transfer o
    WHERE l.kind = 'own' AND l.outcome = 'noted' AND o.receipt_number = l.receipt_number AND o.livemode = l.livemode
      AND l.float_id IN (o.source_id, o.target_id) AND o.amount_units = l.amount_units AND o.state = 'succeeded' LIMIT 1) o ON true;
GRANT SELECT ON gateway.statement_line_now TO gateway_operator;

REVOKE EXECUTE ON FUNCTION gateway.settle_known_lines, gateway.find_money_out, gateway.payouts_missing, gateway.held_on_at,
  gateway.statement_conflicts, gateway.late_lines FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.settle_known_lines, gateway.late_lines TO gateway_worker;
GRANT EXECUTE ON FUNCTION gateway.find_money_out, gateway.payouts_missing, gateway.held_on_at, gateway.statement_conflicts TO gateway_worker, gateway_operator;
RESET ROLE;

-- A statement's closing balance is compared with the books of that moment.
SET ROLE ledger_owner;
GRANT SELECT ON ledger.journal, ledger.leg TO gateway_owner;
CREATE POLICY statements ON ledger.journal FOR SELECT TO gateway_owner USING (true);
CREATE POLICY statements ON ledger.leg FOR SELECT TO gateway_owner USING (true);
RESET ROLE;
