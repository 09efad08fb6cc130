-- What may be read, and by whom. Views run with the rights of who asks (security_invoker), so the row policies hold there too.
SET ROLE ledger_owner;

-- The true balance in any snapshot: what was carried, and what still waits in the queue.
CREATE VIEW ledger.balance_now WITH (security_invoker = true) AS
SELECT b.account_id, b.livemode, b.business_id, b.rule, b.slack, b.version + COALESCE(q.n, 0) AS version,
       b.dr + COALESCE(q.dr, 0) AS dr, b.cr + COALESCE(q.cr, 0) AS cr,
       b.cr - b.dr + COALESCE(q.cr - q.dr, 0) AS balance, b.dr_held, b.cr_held
FROM ledger.balance b
LEFT JOIN LATERAL (SELECT sum(d.dr) AS dr, sum(d.cr) AS cr, sum(d.n) AS n
                   FROM ledger.balance_delta d WHERE d.account_id = b.account_id) AS q ON true;

-- Each leg once from the debit side and once from the credit side; `change` and `balance_after` are credits less debits. All
-- lines of a journal on one account show the balance after the journal.
CREATE VIEW ledger.entry WITH (security_invoker = true) AS
SELECT l.debit_id AS account_id, l.journal_id, l.line, 'D'::"char" AS side, l.livemode, l.business_id, l.asset,
       -l.amount AS change, l.debit_after AS balance_after, l.debit_ver AS version, l.credit_id AS counter_id
FROM ledger.leg l WHERE l.phase IN ('P', 'C')
UNION ALL
SELECT l.credit_id, l.journal_id, l.line, 'C', l.livemode, l.business_id, l.asset,
       l.amount, l.credit_after, l.credit_ver, l.debit_id
FROM ledger.leg l WHERE l.phase IN ('P', 'C');

-- What one journal did to one account, for the proof: `net` and `balance_after` are credits less debits.
CREATE VIEW ledger.movement WITH (security_invoker = true) AS
SELECT e.account_id, e.journal_id, sum(CASE e.side WHEN 'D' THEN -e.change ELSE 0 END) AS dr,
       sum(CASE e.side WHEN 'C' THEN e.change ELSE 0 END) AS cr, sum(e.change) AS net,
       max(e.version) AS version, max(e.balance_after) AS balance_after,
       min(e.version) IS NOT DISTINCT FROM max(e.version)
         AND min(e.balance_after) IS NOT DISTINCT FROM max(e.balance_after) AS of_one_mind
FROM ledger.entry e GROUP BY e.account_id, e.journal_id;

-- Every account with what it holds, for the operator.
CREATE VIEW ledger.trial_balance WITH (security_invoker = true) AS
SELECT a.id AS account_id, a.livemode, a.business_id, a.path, a.title, a.class, a.asset, a.closed, n.dr, n.cr, n.balance, n.version
FROM ledger.account a JOIN ledger.balance_now n ON n.account_id = a.id;

-- How much waits for the drain, and since when.
CREATE VIEW ledger.queue WITH (security_invoker = true) AS
SELECT d.livemode, count(*) AS rows, min(d.queued_at) AS oldest FROM ledger.balance_delta d GROUP BY d.livemode;

REVOKE ALL ON SCHEMA ledger FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO gateway_app, gateway_worker, gateway_operator, gateway_read;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO gateway_app, gateway_worker, gateway_operator, gateway_read;
GRANT EXECUTE ON FUNCTION ledger.post, ledger.post_many, ledger.open_account TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION ledger.drain TO gateway_worker;

-- A business sees its own rows of one mode; with a setting that is wrong, empty or missing, nothing. Not FORCE: the
-- functions of the owner must see all. NULLIF, because a setting that was used once in a session comes back as ''.
DO $policies$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['account', 'balance', 'balance_delta', 'journal', 'leg'] LOOP
    EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY every ON ledger.%I FOR SELECT TO gateway_operator USING (true)', name);
    IF name <> 'balance_delta' THEN
      EXECUTE format($policy$CREATE POLICY own ON ledger.%I FOR SELECT TO gateway_app, gateway_worker, gateway_read
        USING (livemode = NULLIF(current_setting('app.livemode', true), '')::boolean
               AND business_id = NULLIF(current_setting('app.business', true), '')::uuid)$policy$, name);
    END IF;
  END LOOP;
END
$policies$;
RESET ROLE;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $temp$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $temp$;
