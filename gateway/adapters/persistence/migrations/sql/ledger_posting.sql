-- The functions that write the ledger. Each is SECURITY DEFINER with a fixed search path and names every object with its
-- schema, so that no caller can put an object of its own in the way. One order of locks everywhere rules out deadlock:
-- accounts to be opened by path, then keys in ascending order, then live balances by ascending account id.
SET ROLE ledger_owner;

-- Give the account of that path, asset and mode, opening it first if need be. Raises LG004 where it exists with another
-- class, balance mode, rule or owner, and for a rule on a queued account: a drain must never fail.
CREATE FUNCTION ledger.open_account(p_path text, p_asset text, p_livemode boolean, p_class "char", p_balance_mode "char",
  p_rule int, p_business uuid, p_title text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_id bigint;
  v_same boolean;
BEGIN
  IF p_balance_mode = 'Q' AND p_rule <> 0 THEN
    RAISE EXCEPTION 'a queued account has no rule: %', p_path USING ERRCODE = 'LG004';
  END IF;
  -- The money of a business is always bounded, whoever asks.
  IF p_business IS NOT NULL AND p_balance_mode = 'L'
     AND p_rule IS DISTINCT FROM (CASE p_class WHEN 'L' THEN 1 WHEN 'A' THEN -1 END) THEN
    RAISE EXCEPTION 'a live account of a business has the rule of its class: %', p_path USING ERRCODE = 'LG004';
  END IF;
  IF NOT EXISTS (SELECT FROM ledger.asset WHERE code = p_asset) THEN
    RAISE EXCEPTION 'unknown asset: %', p_asset USING ERRCODE = 'LG004';
  END IF;
  INSERT INTO ledger.account (livemode, business_id, path, title, class, asset, balance_mode)
  VALUES (p_livemode, p_business, p_path, p_title, p_class, p_asset, p_balance_mode)
  ON CONFLICT (path, asset, livemode) DO NOTHING RETURNING id INTO v_id;
  IF v_id IS NOT NULL THEN
    INSERT INTO ledger.balance (account_id, livemode, business_id, rule) VALUES (v_id, p_livemode, p_business, p_rule);
    RETURN v_id;
  END IF;
  SELECT a.id, a.class = p_class AND a.balance_mode = p_balance_mode AND a.business_id IS NOT DISTINCT FROM p_business
         AND b.rule = p_rule
  INTO v_id, v_same
  FROM ledger.account a JOIN ledger.balance b ON b.account_id = a.id
  WHERE a.path = p_path AND a.asset = p_asset AND a.livemode = p_livemode;
  IF v_same IS NOT TRUE THEN
    RAISE EXCEPTION 'account % exists in another shape', p_path USING ERRCODE = 'LG004';
  END IF;
  RETURN v_id;
END $$;

-- Refuse a session in which the guarantees of posting would not hold: above READ COMMITTED a replay could not see the
-- first journal; and a session bound to one business or mode posts nothing for another.
CREATE FUNCTION ledger.admit(p_livemode boolean, p_business uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger posts in READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  IF NULLIF(current_setting('app.livemode', true), '')::boolean <> p_livemode
     OR NULLIF(current_setting('app.business', true), '')::uuid <> p_business THEN
    RAISE EXCEPTION 'this session works for another business or mode' USING ERRCODE = 'LG006';
  END IF;
END $$;

-- Open what a journal names and nobody has opened yet, in the order of the paths: two journals that open the same accounts
-- wait for one another and never in a circle. p_open as in ledger.post.
CREATE FUNCTION ledger.open_missing(p_livemode boolean, p_business uuid, p_path text[], p_asset text[], p_open text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  x record;
BEGIN
  IF p_open IS NULL OR jsonb_array_length(p_open::jsonb) <> cardinality(p_path) THEN
    RAISE EXCEPTION 'unknown account' USING ERRCODE = 'LG004';
  END IF;
  FOR x IN
    SELECT w.path, w.asset, p_open::jsonb -> (w.place::int - 1) AS shape
    FROM unnest(p_path, p_asset) WITH ORDINALITY AS w (path, asset, place)
    WHERE NOT EXISTS (SELECT FROM ledger.account a WHERE a.path = w.path AND a.asset = w.asset AND a.livemode = p_livemode)
    ORDER BY w.path COLLATE "C", w.asset COLLATE "C"
  LOOP
    PERFORM ledger.open_account(x.path, x.asset, p_livemode, (x.shape ->> 0)::"char", (x.shape ->> 1)::"char",
                                (x.shape ->> 2)::int, CASE WHEN x.path LIKE 'business:%' THEN p_business END, x.shape ->> 3);
  END LOOP;
END $$;

-- Post one journal, or give the one that was posted under its key before.
--
-- p_path, p_asset: the accounts that its legs name, each once. p_open: for those of them that don't exist yet, a JSON list
-- of [class, balance mode, rule, title], as long as p_path. p_debit, p_credit: places in p_path, counted from 1.
-- Raises LG002 key reused with other content, LG003 closed account, LG004 bad shape or unknown account, LG006 businesses or
-- modes mixed, 23514 on balance_bound: the money is not there.
CREATE FUNCTION ledger.post(p_uid uuid, p_livemode boolean, p_business uuid, p_key text, p_fingerprint bytea, p_kind text,
  p_effective_at timestamptz, p_meta jsonb, p_path text[], p_asset text[], p_open text,
  p_debit int[], p_credit int[], p_amount numeric[], OUT journal_id bigint, OUT uid uuid, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_accounts int := cardinality(p_path);
  v_legs int := cardinality(p_debit);
  v_idle int := v_accounts;
  v_id bigint[];
  v_live int[];
  v_business uuid[];
  v_touched uuid;
  v_dr numeric[];
  v_cr numeric[];
  v_after numeric[];
  v_ver bigint[];
  x_id bigint;
  x_business uuid;
  x_mode "char";
  x_closed boolean;
  x_amount numeric;
  x_ver bigint;
  x_fingerprint bytea;
  d int;
  c int;
BEGIN
  -- The conditions of ledger.admit, here again: the call alone would cost more than they do.
  IF current_setting('transaction_isolation') <> 'read committed'
     OR NULLIF(current_setting('app.livemode', true), '')::boolean <> p_livemode
     OR NULLIF(current_setting('app.business', true), '')::uuid <> p_business THEN
    PERFORM ledger.admit(p_livemode, p_business);
  END IF;
  IF (v_legs BETWEEN 1 AND 100 AND cardinality(p_credit) = v_legs AND cardinality(p_amount) = v_legs
      AND v_accounts BETWEEN 2 AND 200 AND cardinality(p_asset) = v_accounts) IS NOT TRUE THEN
    RAISE EXCEPTION 'a journal has 1 to 100 legs' USING ERRCODE = 'LG004';
  END IF;

  FOR i IN 1..v_accounts LOOP
    SELECT a.id, a.business_id, a.balance_mode, a.closed INTO x_id, x_business, x_mode, x_closed
    FROM ledger.account a WHERE a.path = p_path[i] AND a.asset = p_asset[i] AND a.livemode = p_livemode;
    IF x_id IS NULL THEN
      PERFORM ledger.open_missing(p_livemode, p_business, p_path, p_asset, p_open);
      SELECT a.id, a.business_id, a.balance_mode, a.closed INTO x_id, x_business, x_mode, x_closed
      FROM ledger.account a WHERE a.path = p_path[i] AND a.asset = p_asset[i] AND a.livemode = p_livemode;
    END IF;
    IF x_closed THEN
      RAISE EXCEPTION 'account % is closed', p_path[i] USING ERRCODE = 'LG003';
    END IF;
    IF x_id = ANY (v_id) THEN
      RAISE EXCEPTION 'account % is named twice', p_path[i] USING ERRCODE = 'LG004';
    END IF;
    IF x_business IS NOT NULL THEN
      IF p_business IS DISTINCT FROM x_business THEN
        RAISE EXCEPTION 'a journal touches at most one business' USING ERRCODE = 'LG006';
      END IF;
      v_touched := x_business;
    END IF;
    v_id[i] := x_id;
    v_business[i] := x_business;
    v_dr[i] := 0;
    v_cr[i] := 0;
    v_after[i] := NULL;
    v_ver[i] := NULL;
    IF x_mode = 'L' THEN
      v_live := v_live || i;
    END IF;
  END LOOP;
  IF v_touched IS NULL AND p_business IS NOT NULL THEN
    RAISE EXCEPTION 'the journal of a business touches none of its accounts' USING ERRCODE = 'LG006';
  END IF;

  FOR i IN 1..v_legs LOOP
    d := p_debit[i];
    c := p_credit[i];
    x_amount := p_amount[i];
    IF d BETWEEN 1 AND v_accounts AND c BETWEEN 1 AND v_accounts AND d <> c AND x_amount BETWEEN 1 AND 1e38
       AND x_amount = trunc(x_amount) AND p_asset[d] = p_asset[c] THEN  -- NaN is above 1e38
      IF v_dr[d] + v_cr[d] = 0 THEN
        v_idle := v_idle - 1;
      END IF;
      IF v_dr[c] + v_cr[c] = 0 THEN
        v_idle := v_idle - 1;
      END IF;
      v_dr[d] := v_dr[d] + x_amount;
      v_cr[c] := v_cr[c] + x_amount;
    ELSE
      RAISE EXCEPTION 'a leg has two accounts of one asset and whole units' USING ERRCODE = 'LG004';
    END IF;
  END LOOP;

  -- An account that no leg moves would get a version without a leg.
  IF v_idle > 0 THEN
    RAISE EXCEPTION 'each account of a journal stands in a leg' USING ERRCODE = 'LG004';
  END IF;

  INSERT INTO ledger.journal (uid, livemode, business_id, idem_key, fingerprint, kind, effective_at, meta)
  VALUES (p_uid, p_livemode, p_business, p_key, p_fingerprint, p_kind, p_effective_at, p_meta)
  ON CONFLICT (livemode, idem_key) DO NOTHING RETURNING id INTO journal_id;
  IF journal_id IS NULL THEN
    SELECT j.id, j.uid, j.fingerprint INTO journal_id, uid, x_fingerprint
    FROM ledger.journal j WHERE j.livemode = p_livemode AND j.idem_key = p_key;
    IF x_fingerprint IS DISTINCT FROM p_fingerprint THEN
      RAISE EXCEPTION 'the key % was posted with other content', p_key USING ERRCODE = 'LG002';
    END IF;
    replayed := true;
    RETURN;
  END IF;

  IF cardinality(v_live) > 1 THEN
    v_live := ARRAY(SELECT i FROM unnest(v_live) AS u (i) ORDER BY v_id[i]);
  END IF;
  IF v_live IS NOT NULL THEN
    FOREACH d IN ARRAY v_live LOOP
      UPDATE ledger.balance b SET dr = b.dr + v_dr[d], cr = b.cr + v_cr[d], version = b.version + 1
      WHERE b.account_id = v_id[d] RETURNING b.cr - b.dr, b.version INTO x_amount, x_ver;
      v_after[d] := x_amount;
      v_ver[d] := x_ver;
    END LOOP;
  END IF;
  INSERT INTO ledger.balance_delta (account_id, livemode, dr, cr)
  SELECT v_id[i], p_livemode, v_dr[i], v_cr[i] FROM generate_series(1, v_accounts) AS g (i) WHERE v_ver[i] IS NULL;
  INSERT INTO ledger.leg (journal_id, line, livemode, business_id, phase, asset, debit_id, credit_id, amount,
                          debit_after, debit_ver, credit_after, credit_ver)
  SELECT post.journal_id, i, p_livemode, COALESCE(v_business[p_debit[i]], v_business[p_credit[i]]), 'P', p_asset[p_debit[i]],
         v_id[p_debit[i]], v_id[p_credit[i]], p_amount[i],
         v_after[p_debit[i]], v_ver[p_debit[i]], v_after[p_credit[i]], v_ver[p_credit[i]]
  FROM generate_series(1, v_legs) AS g (i);
  uid := p_uid;
  replayed := false;
END $$;

-- Post journals of one mode, all or none, in one transaction of 1 to 200: for settlement, sweeps and imports.
--
-- p_accounts: a list of [path, asset, business or null, class, balance mode, rule, title]. p_journals: a list of objects with
-- uid, business, key, fingerprint (hex), kind, effective_at, meta and legs: [debit, credit, "units"], places in p_accounts
-- counted from 1. Keys differ within a batch. History goes in the order of the list, and each bound holds after every journal
-- of it, not only at the end. Gives a row for each journal, in that order. Raises what ledger.post raises.
CREATE FUNCTION ledger.post_many(p_livemode boolean, p_accounts jsonb, p_journals jsonb)
RETURNS TABLE (place int, journal_id bigint, uid uuid, replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_accounts int := jsonb_array_length(p_accounts);
  v_journals int := jsonb_array_length(p_journals);
  v_id bigint[];
  v_asset text[];
  v_owner uuid[];
  v_live boolean[];
  v_of int[];
  v_line int[];
  v_debit int[];
  v_credit int[];
  v_amount numeric[];
  v_new bigint[];
  v_journal bigint[];
  v_uid uuid[];
  v_fresh boolean[];
  x record;
BEGIN
  IF (v_journals BETWEEN 1 AND 200 AND v_accounts >= 2) IS NOT TRUE THEN
    RAISE EXCEPTION 'a batch has 1 to 200 journals' USING ERRCODE = 'LG004';
  END IF;
  PERFORM ledger.admit(p_livemode, (e.j ->> 'business')::uuid) FROM jsonb_array_elements(p_journals) AS e (j);

  -- Accounts, opened in the order of their paths.
  FOR x IN
    SELECT e.a ->> 0 AS path, e.a ->> 1 AS asset, (e.a ->> 2)::uuid AS business, e.a, e.place::int AS place
    FROM jsonb_array_elements(p_accounts) WITH ORDINALITY AS e (a, place)
    ORDER BY (e.a ->> 0) COLLATE "C", (e.a ->> 1) COLLATE "C"
  LOOP
    v_id[x.place] := (SELECT a.id FROM ledger.account a WHERE a.path = x.path AND a.asset = x.asset AND a.livemode = p_livemode);
    IF v_id[x.place] IS NULL THEN
      v_id[x.place] := ledger.open_account(x.path, x.asset, p_livemode, (x.a ->> 3)::"char", (x.a ->> 4)::"char",
                                           (x.a ->> 5)::int, x.business, x.a ->> 6);
    END IF;
    v_asset[x.place] := x.asset;
  END LOOP;
  FOR x IN SELECT a.*, array_position(v_id, a.id) AS place FROM ledger.account a WHERE a.id = ANY (v_id) LOOP
    IF x.closed THEN
      RAISE EXCEPTION 'account % is closed', x.path USING ERRCODE = 'LG003';
    END IF;
    v_owner[x.place] := x.business_id;
    v_live[x.place] := x.balance_mode = 'L';
  END LOOP;

  -- Shape.
  SELECT array_agg(j.place::int ORDER BY j.place, l.line), array_agg(l.line::int ORDER BY j.place, l.line),
         array_agg((l.leg ->> 0)::int ORDER BY j.place, l.line), array_agg((l.leg ->> 1)::int ORDER BY j.place, l.line),
         array_agg((l.leg ->> 2)::numeric ORDER BY j.place, l.line)
  INTO v_of, v_line, v_debit, v_credit, v_amount
  FROM jsonb_array_elements(p_journals) WITH ORDINALITY AS j (j, place),
       jsonb_array_elements(j.j -> 'legs') WITH ORDINALITY AS l (leg, line);
  IF EXISTS (SELECT FROM unnest(v_debit, v_credit, v_amount, v_line) AS l (d, c, amount, line)
             WHERE (l.d BETWEEN 1 AND v_accounts AND l.c BETWEEN 1 AND v_accounts AND l.d <> l.c AND v_asset[l.d] = v_asset[l.c]
                    AND l.amount BETWEEN 1 AND 1e38 AND l.amount = trunc(l.amount) AND l.line <= 100) IS NOT TRUE)
     OR v_of IS NULL OR (SELECT count(DISTINCT u.i) FROM unnest(v_of) AS u (i)) <> v_journals
     OR (SELECT count(DISTINCT u.i) FROM unnest(v_id) AS u (i)) <> v_accounts
     OR (SELECT count(DISTINCT e.j ->> 'key') FROM jsonb_array_elements(p_journals) AS e (j)) <> v_journals THEN
    RAISE EXCEPTION 'a journal has 1 to 100 legs of two accounts of one asset and whole units, and a key of its own'
      USING ERRCODE = 'LG004';
  END IF;
  IF EXISTS (SELECT FROM jsonb_array_elements(p_journals) WITH ORDINALITY AS j (j, place)
             LEFT JOIN (SELECT s.i, s.owner FROM unnest(v_of, v_debit, v_credit) AS l (i, d, c),
                               LATERAL (VALUES (l.i, v_owner[l.d]), (l.i, v_owner[l.c])) AS s (i, owner)
                        WHERE s.owner IS NOT NULL) AS t ON t.i = j.place
             WHERE t.owner IS DISTINCT FROM (j.j ->> 'business')::uuid) THEN
    RAISE EXCEPTION 'a journal touches at most one business, its own' USING ERRCODE = 'LG006';
  END IF;

  -- Keys in ascending order; ids in the order of the list.
  v_new := ARRAY(SELECT nextval('ledger.journal_id_seq') FROM generate_series(1, v_journals));
  INSERT INTO ledger.journal (id, uid, livemode, business_id, idem_key, fingerprint, kind, effective_at, meta)
  OVERRIDING SYSTEM VALUE
  SELECT v_new[e.place], (e.j ->> 'uid')::uuid, p_livemode, (e.j ->> 'business')::uuid, e.j ->> 'key',
         decode(e.j ->> 'fingerprint', 'hex'), e.j ->> 'kind', (e.j ->> 'effective_at')::timestamptz,
         COALESCE(e.j -> 'meta', '{}')
  FROM jsonb_array_elements(p_journals) WITH ORDINALITY AS e (j, place)
  ORDER BY (e.j ->> 'key') COLLATE "C"
  ON CONFLICT (livemode, idem_key) DO NOTHING;
  FOR x IN
    SELECT e.place::int AS place, e.j ->> 'key' AS key, j.id, j.uid, j.fingerprint = decode(e.j ->> 'fingerprint', 'hex') AS same
    FROM jsonb_array_elements(p_journals) WITH ORDINALITY AS e (j, place)
    LEFT JOIN ledger.journal j ON j.livemode = p_livemode AND j.idem_key = e.j ->> 'key'
  LOOP
    IF x.same IS NOT TRUE THEN
      RAISE EXCEPTION 'the key % was posted with other content', x.key USING ERRCODE = 'LG002';
    END IF;
    v_journal[x.place] := x.id;
    v_uid[x.place] := x.uid;
    v_fresh[x.place] := x.id = v_new[x.place];
  END LOOP;

  -- Live balances in ascending order; each of the statements after this one sees what is locked here.
  PERFORM FROM ledger.balance b WHERE b.account_id IN (SELECT v_id[g.i] FROM generate_series(1, v_accounts) AS g (i) WHERE v_live[g.i])
  ORDER BY b.account_id FOR NO KEY UPDATE;
  FOR x IN
    WITH moved AS (
      SELECT s.account, s.place, sum(s.dr) AS dr, sum(s.cr) AS cr
      FROM unnest(v_of, v_debit, v_credit, v_amount) AS l (place, d, c, amount),
           LATERAL (VALUES (l.d, l.place, l.amount, 0), (l.c, l.place, 0, l.amount)) AS s (account, place, dr, cr)
      WHERE v_fresh[l.place] GROUP BY s.account, s.place
    ), gone_by AS (
      SELECT b.*, m.place, b.dr + sum(m.dr) OVER w AS dr_then, b.cr + sum(m.cr) OVER w AS cr_then
      FROM moved m JOIN ledger.balance b ON b.account_id = v_id[m.account] WHERE v_live[m.account]
      WINDOW w AS (PARTITION BY m.account ORDER BY m.place)
    )
    SELECT g.account_id FROM gone_by g
    WHERE CASE g.rule WHEN 1 THEN g.dr_then + g.dr_held > g.cr_then + g.slack
                      WHEN -1 THEN g.cr_then + g.cr_held > g.dr_then + g.slack ELSE false END LIMIT 1
  LOOP
    RAISE EXCEPTION 'the money is not there at every step of the batch'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_bound', TABLE = 'balance', SCHEMA = 'ledger';
  END LOOP;
  WITH moved AS (
    SELECT s.account, s.place, sum(s.dr) AS dr, sum(s.cr) AS cr
    FROM unnest(v_of, v_debit, v_credit, v_amount) AS l (place, d, c, amount),
         LATERAL (VALUES (l.d, l.place, l.amount, 0), (l.c, l.place, 0, l.amount)) AS s (account, place, dr, cr)
    WHERE v_fresh[l.place] GROUP BY s.account, s.place
  ), after AS MATERIALIZED (
    SELECT m.account, m.place, b.cr - b.dr + sum(m.cr - m.dr) OVER w AS balance, b.version + row_number() OVER w AS version
    FROM moved m JOIN ledger.balance b ON b.account_id = v_id[m.account] WHERE v_live[m.account]
    WINDOW w AS (PARTITION BY m.account ORDER BY m.place)
  ), written AS (
    INSERT INTO ledger.leg (journal_id, line, livemode, business_id, phase, asset, debit_id, credit_id, amount,
                            debit_after, debit_ver, credit_after, credit_ver)
    SELECT v_journal[l.place], l.line, p_livemode, COALESCE(v_owner[l.d], v_owner[l.c]), 'P', v_asset[l.d], v_id[l.d], v_id[l.c],
           l.amount, d.balance, d.version, c.balance, c.version
    FROM unnest(v_of, v_line, v_debit, v_credit, v_amount) AS l (place, line, d, c, amount)
    LEFT JOIN after d ON d.account = l.d AND d.place = l.place
    LEFT JOIN after c ON c.account = l.c AND c.place = l.place
    WHERE v_fresh[l.place] ORDER BY l.place, l.line
  ), net AS MATERIALIZED (
    SELECT m.account, sum(m.dr) AS dr, sum(m.cr) AS cr, count(*) AS n FROM moved m GROUP BY m.account
  ), queued AS (
    INSERT INTO ledger.balance_delta (account_id, livemode, dr, cr, n)
    SELECT v_id[net.account], p_livemode, net.dr, net.cr, net.n FROM net WHERE NOT v_live[net.account]
  )
  UPDATE ledger.balance b SET dr = b.dr + net.dr, cr = b.cr + net.cr, version = b.version + net.n
  FROM net WHERE b.account_id = v_id[net.account] AND v_live[net.account];

  RETURN QUERY SELECT g.i, v_journal[g.i], v_uid[g.i], NOT v_fresh[g.i] FROM generate_series(1, v_journals) AS g (i) ORDER BY g.i;
END $$;

-- Carry up to p_rows queued movements of one mode to their balances; gives how many. One drain at a time in each mode: a
-- second one finds the door closed and gives 0. What a reader adds up is the same at every moment.
CREATE FUNCTION ledger.drain(p_livemode boolean, p_rows int DEFAULT 1000) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_moved int;
BEGIN
  IF NOT pg_try_advisory_xact_lock(1818583143, p_livemode::int) THEN
    RETURN 0;
  END IF;
  WITH picked AS (
    SELECT d.ctid AS place FROM ledger.balance_delta d WHERE d.livemode = p_livemode LIMIT p_rows FOR UPDATE SKIP LOCKED
  ), gone AS (
    DELETE FROM ledger.balance_delta d USING picked WHERE d.ctid = picked.place RETURNING d.account_id, d.dr, d.cr, d.n
  ), net AS (
    SELECT account_id, sum(dr) AS dr, sum(cr) AS cr, sum(n) AS n FROM gone GROUP BY account_id
  ), carried AS (
    UPDATE ledger.balance b SET dr = b.dr + net.dr, cr = b.cr + net.cr, version = b.version + net.n
    FROM net WHERE b.account_id = net.account_id
  )
  SELECT count(*) INTO v_moved FROM gone;
  RETURN v_moved;
END $$;
RESET ROLE;
