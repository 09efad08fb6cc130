-- Who may do what: row policies on every table, and rights by table and verb.
SET ROLE gateway_owner;

-- FORCE: the owner is bound too, so that its functions see all only where a policy below says so.
DO $policies$
DECLARE
  word text;
  mine constant text := $p$business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
  served constant text := 'gateway_app, gateway_worker, gateway_read';
BEGIN
  FOR word IN SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'gateway' LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
  END LOOP;
  FOREACH word IN ARRAY ARRAY['customer', 'payment', 'checkout_session', 'attempt', 'receipt', 'payout', 'payout_attempt', 'reply_to',
      'provider_call', 'provider_callback', 'report', 'outbox', 'event', 'webhook_endpoint', 'delivery', 'delivery_try',
      'idempotency_key', 'alert'] LOOP
    EXECUTE format('CREATE POLICY own ON gateway.%I TO %s USING (%s AND %s) WITH CHECK (%s AND %s)', word, served, mode, mine, mode, mine);
  END LOOP;
  FOREACH word IN ARRAY ARRAY['float', 'connection'] LOOP
    EXECUTE format('CREATE POLICY pooled ON gateway.%I TO %s USING (%s) WITH CHECK (%s)', word, served, mode, mode);
  END LOOP;
  EXECUTE format('CREATE POLICY own ON gateway.business FOR SELECT TO %s USING (%s)', served, replace(mine, 'business_id', 'id'));
  EXECUTE format('CREATE POLICY own ON gateway.fee_schedule FOR SELECT TO %s USING (business_id IS NULL OR %s)', served, mine);
  EXECUTE format('CREATE POLICY shared ON gateway.test_clock TO %s USING (true) WITH CHECK (true)', served);
  -- platform, api_key, taken_reference, phone_prompt and audit have no policy for them: they see nothing there.
END $policies$;

REVOKE ALL ON SCHEMA gateway FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA gateway FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA gateway FROM PUBLIC;
GRANT USAGE ON SCHEMA gateway TO gateway_app, gateway_worker, gateway_operator, gateway_read;

-- Web.
GRANT SELECT ON gateway.business, gateway.fee_schedule, gateway.float, gateway.customer, gateway.checkout_session, gateway.payment,
  gateway.attempt, gateway.receipt, gateway.payout, gateway.payout_attempt, gateway.provider_call, gateway.report, gateway.outbox,
  gateway.event, gateway.delivery, gateway.delivery_try, gateway.idempotency_key, gateway.test_clock TO gateway_app;
GRANT SELECT (id, livemode, created, updated, version, title, code, tag, float_id, state, paused_for) ON gateway.connection TO gateway_app;
GRANT SELECT (id, business_id, livemode, reply_id, connection_id, subject_kind, subject_id, received_at, weighed_at, verdict)
  ON gateway.provider_callback TO gateway_app;
GRANT SELECT (id, business_id, livemode, created, updated, version, metadata, url, enabled_events, description, state, disabled_for, deleted_at)
  ON gateway.webhook_endpoint TO gateway_app;
GRANT INSERT ON gateway.customer, gateway.checkout_session, gateway.payment, gateway.attempt, gateway.payout, gateway.payout_attempt,
  gateway.provider_callback, gateway.outbox, gateway.event, gateway.webhook_endpoint, gateway.delivery, gateway.idempotency_key,
  gateway.alert TO gateway_app;
GRANT UPDATE ON gateway.customer, gateway.payment, gateway.attempt, gateway.payout, gateway.payout_attempt, gateway.outbox,
  gateway.webhook_endpoint, gateway.delivery, gateway.idempotency_key, gateway.test_clock TO gateway_app;

-- Workers, the relay, the sweeper.
GRANT SELECT ON gateway.business, gateway.fee_schedule, gateway.float, gateway.connection, gateway.customer, gateway.checkout_session,
  gateway.payment, gateway.attempt, gateway.receipt, gateway.payout, gateway.payout_attempt, gateway.reply_to, gateway.provider_call,
  gateway.provider_callback, gateway.report, gateway.outbox, gateway.event, gateway.webhook_endpoint, gateway.delivery,
  gateway.delivery_try, gateway.test_clock TO gateway_worker;
GRANT INSERT ON gateway.attempt, gateway.receipt, gateway.payout_attempt, gateway.reply_to, gateway.provider_call, gateway.report,
  gateway.outbox, gateway.event, gateway.delivery, gateway.delivery_try, gateway.alert TO gateway_worker;
GRANT UPDATE ON gateway.payment, gateway.attempt, gateway.payout, gateway.payout_attempt, gateway.outbox, gateway.webhook_endpoint,
  gateway.delivery TO gateway_worker;
GRANT UPDATE (updated, version, receipt_number, payer_hint, available_on, released_at) ON gateway.receipt TO gateway_worker;
GRANT UPDATE (weighed_at, verdict) ON gateway.provider_callback TO gateway_worker;
GRANT UPDATE (updated, version, state, paused_for) ON gateway.connection TO gateway_worker;

-- The command line and reconciliation: everything but rewriting evidence, and no journal.
GRANT SELECT ON ALL TABLES IN SCHEMA gateway TO gateway_operator;
GRANT INSERT ON ALL TABLES IN SCHEMA gateway TO gateway_operator;
GRANT UPDATE ON gateway.platform, gateway.business, gateway.api_key, gateway.connection, gateway.customer, gateway.payment, gateway.attempt,
  gateway.payout, gateway.payout_attempt, gateway.outbox, gateway.webhook_endpoint, gateway.delivery, gateway.idempotency_key,
  gateway.test_clock, gateway.alert TO gateway_operator;
GRANT UPDATE (updated, version, receipt_number, payer_hint, available_on, released_at) ON gateway.receipt TO gateway_operator;
GRANT UPDATE (weighed_at, verdict) ON gateway.provider_callback TO gateway_operator;

-- Statements and exports: no phone, no secret.
GRANT SELECT ON gateway.business, gateway.float, gateway.checkout_session, gateway.payment, gateway.attempt, gateway.receipt,
  gateway.payout_attempt, gateway.event, gateway.test_clock TO gateway_read;
GRANT SELECT (id, business_id, livemode, created, updated, version, metadata, currency, amount_units, charge, destination_kind,
  destination_masked, description, reference, state, waiting_for, failure, receipt_number, needs_attention, paid_at, attempts)
  ON gateway.payout TO gateway_read;

-- Functions.
GRANT EXECUTE ON FUNCTION gateway.new_id, gateway.set_scope, gateway.wants, gateway.put_due, gateway.put_payment,
  gateway.take_prompt, gateway.take_reference TO gateway_app, gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION gateway.begin_idempotent, gateway.end_idempotent, gateway.keep_callback, gateway.find_session TO gateway_app;
GRANT EXECUTE ON FUNCTION gateway.take_holder, gateway.holder_class, gateway.free_due,
  gateway.finish_due, gateway.fail_due, gateway.extend_due, gateway.sweep TO gateway_worker, gateway_operator;
RESET ROLE;

-- promise_float reads what a float holds, so the owner of the application's tables reads the ledger's balances.
SET ROLE ledger_owner;
GRANT USAGE ON SCHEMA ledger TO gateway_owner;
GRANT SELECT ON ledger.account, ledger.balance, ledger.balance_delta, ledger.balance_now TO gateway_owner;
CREATE POLICY promise ON ledger.account FOR SELECT TO gateway_owner USING (true);
CREATE POLICY promise ON ledger.balance FOR SELECT TO gateway_owner USING (true);
CREATE POLICY promise ON ledger.balance_delta FOR SELECT TO gateway_owner USING (true);
RESET ROLE;

-- Readiness: whether the database is at the revision that the release wants.
GRANT SELECT ON public.alembic_version TO gateway_app, gateway_worker, gateway_operator, gateway_read;
