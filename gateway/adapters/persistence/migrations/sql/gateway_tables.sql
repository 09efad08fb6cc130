-- The application's tables, in the schema `gateway`, owned by the role `gateway_owner`. Nobody logs in as that role.
-- Each row of a business carries business_id and livemode, and both stand inside its unique keys. They come first in its
-- indexes: the row policies ask for both, and before a table's first ANALYZE the planner would otherwise take any index
-- that begins with them and read all rows of the business.
CREATE SCHEMA gateway AUTHORIZATION gateway_owner;
SET ROLE gateway_owner;

-- Who is served ------------------------------------------------------------------------------------------------------

CREATE TABLE gateway.platform (
  id      uuid PRIMARY KEY,
  name    text NOT NULL,
  created timestamptz NOT NULL
);

CREATE TABLE gateway.business (                -- shared by both modes
  id                   uuid PRIMARY KEY,
  platform_id          uuid NOT NULL REFERENCES gateway.platform,
  created              timestamptz NOT NULL,
  updated              timestamptz NOT NULL,
  version              integer NOT NULL,
  metadata             jsonb NOT NULL,
  name                 text NOT NULL,
  shop_tag             text NOT NULL CHECK (shop_tag ~ '^[A-Z]{2,5}$'),
  statement_descriptor text NOT NULL,
  support_contact      text,
  settlement           text NOT NULL,
  payments_enabled     boolean NOT NULL,
  payouts_enabled      boolean NOT NULL
);

CREATE TABLE gateway.api_key (
  id          uuid PRIMARY KEY,
  platform_id uuid NOT NULL REFERENCES gateway.platform,
  business_id uuid REFERENCES gateway.business,  -- NULL = the platform's own
  livemode    boolean NOT NULL,
  created     timestamptz NOT NULL,
  name        text NOT NULL,
  key_hash    bytea NOT NULL CHECK (length(key_hash) = 32),
  last4       text NOT NULL CHECK (length(last4) = 4),
  expires_at  timestamptz,
  revoked_at  timestamptz,
  CONSTRAINT api_key_hash UNIQUE (key_hash)
);
CREATE INDEX api_key_of_business ON gateway.api_key (business_id, livemode);

CREATE TABLE gateway.fee_schedule (            -- prices are the same in both modes
  id             uuid PRIMARY KEY,
  product        text NOT NULL CHECK (product IN ('collect', 'payout')),
  business_id    uuid REFERENCES gateway.business,  -- NULL = for everybody who has none of their own
  version        integer NOT NULL,
  effective_from timestamptz NOT NULL,
  flat_units     numeric(38,0) NOT NULL CHECK (flat_units >= 0),
  bps            integer NOT NULL CHECK (bps BETWEEN 0 AND 10000),
  cap_units      numeric(38,0) CHECK (cap_units >= 0),
  min_units      numeric(38,0) NOT NULL CHECK (min_units >= 0),
  taxes          jsonb NOT NULL
);
CREATE INDEX fee_schedule_in_force ON gateway.fee_schedule (product, business_id, effective_from);

-- Where money is collected and paid out; pooled, so every business of the mode shares them --------------------------

CREATE TABLE gateway.float (
  id       uuid PRIMARY KEY,
  livemode boolean NOT NULL,
  title    text NOT NULL,
  currency text NOT NULL,
  created  timestamptz NOT NULL,
  CONSTRAINT float_in_mode UNIQUE (id, livemode)
);

CREATE TABLE gateway.connection (
  id         uuid PRIMARY KEY,
  livemode   boolean NOT NULL,
  created    timestamptz NOT NULL,
  updated    timestamptz NOT NULL,
  version    integer NOT NULL,
  title      text NOT NULL,
  code       text NOT NULL,
  tag        text NOT NULL CHECK (tag ~ '^[0-9a-f]{8}$'),
  float_id   uuid NOT NULL,
  state      text NOT NULL CHECK (state IN ('active', 'paused')),
  paused_for text,
  config     bytea NOT NULL,                   -- sealed
  CONSTRAINT connection_tag UNIQUE (tag),
  CONSTRAINT connection_in_mode UNIQUE (id, livemode),
  CONSTRAINT connection_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
);
CREATE INDEX connection_by_code ON gateway.connection (livemode, code);

-- Money in -----------------------------------------------------------------------------------------------------------

CREATE TABLE gateway.customer (
  id          uuid PRIMARY KEY,
  business_id uuid NOT NULL REFERENCES gateway.business,
  livemode    boolean NOT NULL,
  created     timestamptz NOT NULL,
  updated     timestamptz NOT NULL,
  version     integer NOT NULL,
  metadata    jsonb NOT NULL,
  phone       bytea NOT NULL,                  -- sealed, as are the next two
  name        bytea,
  email       bytea,
  phone_hmac  bytea NOT NULL CHECK (length(phone_hmac) = 32),
  CONSTRAINT customer_list UNIQUE (business_id, livemode, id),
  CONSTRAINT customer_phone UNIQUE (business_id, livemode, phone_hmac)
);

CREATE TABLE gateway.payment (
  id                uuid PRIMARY KEY,
  business_id       uuid NOT NULL REFERENCES gateway.business,
  livemode          boolean NOT NULL,
  created           timestamptz NOT NULL,
  updated           timestamptz NOT NULL,
  version           integer NOT NULL,
  metadata          jsonb NOT NULL,
  currency          text NOT NULL,
  amount_units      numeric(38,0) NOT NULL CHECK (amount_units > 0),
  due_units         numeric(38,0) NOT NULL CHECK (due_units >= amount_units),
  received_units    numeric(38,0) NOT NULL CHECK (received_units >= 0),
  refunded_units    numeric(38,0) NOT NULL CHECK (refunded_units BETWEEN 0 AND received_units),
  state             text NOT NULL CHECK (state IN ('requires_payment_method', 'requires_action', 'processing', 'succeeded', 'canceled', 'expired')),
  exception_status  text CHECK (exception_status IN ('underpaid', 'overpaid', 'paid_late', 'duplicate', 'conflict')),
  outcome_unknown   boolean NOT NULL,
  description       text,
  reference         text,                      -- the business's own
  customer_id       uuid,
  session_id        uuid,
  terms             jsonb,
  settlement_status text NOT NULL CHECK (settlement_status IN ('pending', 'converting', 'available')),
  available_on      timestamptz,
  next_action       jsonb,
  last_error        jsonb,
  expires_at        timestamptz NOT NULL,
  succeeded_at      timestamptz,
  idempotency_key   bytea,
  fingerprint       bytea,
  CONSTRAINT payment_list UNIQUE (business_id, livemode, id),
  CONSTRAINT payment_idempotency UNIQUE (business_id, livemode, idempotency_key),
  CONSTRAINT payment_customer FOREIGN KEY (business_id, livemode, customer_id) REFERENCES gateway.customer (business_id, livemode, id),
  CONSTRAINT payment_paid CHECK (state <> 'succeeded' OR received_units >= due_units)
) WITH (fillfactor = 80);                      -- a payment is written a few times; let the row stay in its page
CREATE UNIQUE INDEX payment_reference ON gateway.payment (business_id, livemode, reference) WHERE reference IS NOT NULL;
CREATE INDEX payment_by_state ON gateway.payment (business_id, livemode, state, id);
CREATE INDEX payment_by_customer ON gateway.payment (business_id, livemode, customer_id, id) WHERE customer_id IS NOT NULL;

CREATE TABLE gateway.checkout_session (
  id              uuid PRIMARY KEY,
  business_id     uuid NOT NULL REFERENCES gateway.business,
  livemode        boolean NOT NULL,
  created         timestamptz NOT NULL,
  updated         timestamptz NOT NULL,
  version         integer NOT NULL,
  metadata        jsonb NOT NULL,
  payment_id      uuid NOT NULL,
  secret_hash     bytea NOT NULL CHECK (length(secret_hash) = 32),
  success_url     text,
  cancel_url      text,
  expires_at      timestamptz NOT NULL,
  line_items      jsonb NOT NULL,
  idempotency_key bytea,
  fingerprint     bytea,
  CONSTRAINT session_list UNIQUE (business_id, livemode, id),
  CONSTRAINT session_idempotency UNIQUE (business_id, livemode, idempotency_key),
  CONSTRAINT session_secret UNIQUE (secret_hash),
  CONSTRAINT session_of_payment UNIQUE (business_id, livemode, payment_id),
  CONSTRAINT session_payment FOREIGN KEY (business_id, livemode, payment_id) REFERENCES gateway.payment (business_id, livemode, id)
);

CREATE TABLE gateway.attempt (
  id                 uuid PRIMARY KEY,
  payment_id         uuid NOT NULL,
  business_id        uuid NOT NULL REFERENCES gateway.business,
  livemode           boolean NOT NULL,
  created            timestamptz NOT NULL,
  updated            timestamptz NOT NULL,
  version            integer NOT NULL,
  number             integer NOT NULL,
  state              text NOT NULL CHECK (state IN ('created', 'submitting', 'submitted', 'unknown', 'unresolved', 'succeeded', 'failed', 'ended')),
  blocking           boolean NOT NULL,         -- another prompt must wait for this one, or take its place knowingly
  connection_id      uuid NOT NULL,
  rail               text NOT NULL,
  method             text NOT NULL,
  float_id           uuid NOT NULL,
  reference          text NOT NULL,
  provider_reference bytea,                    -- sealed: it may hold digits of a phone number
  currency           text NOT NULL,
  amount_units       numeric(38,0) NOT NULL CHECK (amount_units > 0),
  customer_id        uuid,
  payer_masked       text,
  submitted_at       timestamptz,
  prompt_until       timestamptz,
  blocks_until       timestamptz,
  failure            jsonb,
  look_ups           integer NOT NULL,
  looked_up_at       timestamptz,
  woken              integer,
  sends              integer NOT NULL,
  CONSTRAINT attempt_list UNIQUE (business_id, livemode, id),
  CONSTRAINT attempt_number UNIQUE (business_id, livemode, payment_id, number),
  CONSTRAINT attempt_reference UNIQUE (connection_id, reference),
  CONSTRAINT attempt_payment FOREIGN KEY (business_id, livemode, payment_id) REFERENCES gateway.payment (business_id, livemode, id),
  CONSTRAINT attempt_customer FOREIGN KEY (business_id, livemode, customer_id) REFERENCES gateway.customer (business_id, livemode, id),
  CONSTRAINT attempt_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT attempt_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX attempt_one_blocking ON gateway.attempt (business_id, livemode, payment_id) WHERE blocking;

CREATE TABLE gateway.receipt (
  id                uuid PRIMARY KEY,
  business_id       uuid NOT NULL REFERENCES gateway.business,
  livemode          boolean NOT NULL,
  created           timestamptz NOT NULL,
  updated           timestamptz NOT NULL,
  version           integer NOT NULL,
  payment_id        uuid NOT NULL,
  attempt_id        uuid,
  float_id          uuid NOT NULL,
  receipt_namespace text NOT NULL,
  receipt_number    text,
  currency          text NOT NULL,
  amount_units      numeric(38,0) NOT NULL CHECK (amount_units > 0),
  due_units         numeric(38,0) NOT NULL CHECK (due_units >= 0),
  over_units        numeric(38,0) NOT NULL CHECK (over_units >= 0),
  charge            jsonb NOT NULL,
  bucket            text NOT NULL,
  happened_at       timestamptz NOT NULL,
  available_on      timestamptz,
  released_at       timestamptz,
  payer_hint        text,
  CONSTRAINT receipt_list UNIQUE (business_id, livemode, id),
  CONSTRAINT receipt_split CHECK (due_units + over_units = amount_units),
  CONSTRAINT receipt_payment FOREIGN KEY (business_id, livemode, payment_id) REFERENCES gateway.payment (business_id, livemode, id),
  CONSTRAINT receipt_attempt FOREIGN KEY (business_id, livemode, attempt_id) REFERENCES gateway.attempt (business_id, livemode, id),
  CONSTRAINT receipt_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
);
-- One money fact, one row: across all businesses, since a receipt number belongs to one sum.
CREATE UNIQUE INDEX receipt_one_fact ON gateway.receipt (receipt_namespace, livemode, receipt_number) WHERE receipt_number IS NOT NULL;
CREATE UNIQUE INDEX receipt_one_a_try ON gateway.receipt (business_id, livemode, attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX receipt_of_payment ON gateway.receipt (business_id, livemode, payment_id, id);

-- Money out ----------------------------------------------------------------------------------------------------------

CREATE TABLE gateway.payout (
  id                 uuid PRIMARY KEY,
  business_id        uuid NOT NULL REFERENCES gateway.business,
  livemode           boolean NOT NULL,
  created            timestamptz NOT NULL,
  updated            timestamptz NOT NULL,
  version            integer NOT NULL,
  metadata           jsonb NOT NULL,
  currency           text NOT NULL,
  amount_units       numeric(38,0) NOT NULL CHECK (amount_units > 0),
  charge             jsonb NOT NULL,
  destination_kind   text NOT NULL,
  destination        bytea NOT NULL,           -- sealed
  destination_masked text NOT NULL,
  description        text,
  reference          text,
  state              text NOT NULL CHECK (state IN ('queued', 'submitting', 'in_transit', 'unknown', 'paid', 'returned', 'failed', 'canceled')),
  waiting_for        text,
  waits_on_float     uuid REFERENCES gateway.float,  -- the float that last had too little for it
  failure            jsonb,
  receipt_number     text,
  needs_attention    boolean NOT NULL,
  paid_at            timestamptz,
  attempts           integer NOT NULL CHECK (attempts >= 0),
  idempotency_key    bytea,
  fingerprint        bytea,
  CONSTRAINT payout_list UNIQUE (business_id, livemode, id),
  CONSTRAINT payout_idempotency UNIQUE (business_id, livemode, idempotency_key)
) WITH (fillfactor = 80);
CREATE INDEX payout_by_state ON gateway.payout (business_id, livemode, state, id);
CREATE INDEX payout_by_reference ON gateway.payout (business_id, livemode, reference, id) WHERE reference IS NOT NULL;
CREATE INDEX payout_queue ON gateway.payout (livemode, destination_kind, id) WHERE state = 'queued';

CREATE TABLE gateway.payout_attempt (
  id                 uuid PRIMARY KEY,
  payout_id          uuid NOT NULL,
  business_id        uuid NOT NULL REFERENCES gateway.business,
  livemode           boolean NOT NULL,
  created            timestamptz NOT NULL,
  updated            timestamptz NOT NULL,
  version            integer NOT NULL,
  number             integer NOT NULL,
  state              text NOT NULL CHECK (state IN ('created', 'submitting', 'in_transit', 'unknown', 'succeeded', 'failed')),
  connection_id      uuid NOT NULL,
  channel            text NOT NULL,
  float_id           uuid NOT NULL,
  reference          text NOT NULL,
  provider_reference bytea,                    -- sealed
  currency           text NOT NULL,
  amount_units       numeric(38,0) NOT NULL CHECK (amount_units > 0),
  submitted_at       timestamptz,
  failure            jsonb,
  receipt_number     text,
  look_ups           integer NOT NULL,
  looked_up_at       timestamptz,
  woken              integer,
  sends              integer NOT NULL,
  CONSTRAINT payout_attempt_list UNIQUE (business_id, livemode, id),
  CONSTRAINT payout_attempt_number UNIQUE (business_id, livemode, payout_id, number),
  CONSTRAINT payout_attempt_reference UNIQUE (connection_id, reference),
  CONSTRAINT payout_attempt_payout FOREIGN KEY (business_id, livemode, payout_id) REFERENCES gateway.payout (business_id, livemode, id),
  CONSTRAINT payout_attempt_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT payout_attempt_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX payout_attempt_one_live ON gateway.payout_attempt (business_id, livemode, payout_id) WHERE state NOT IN ('succeeded', 'failed');
CREATE INDEX payout_attempt_promised ON gateway.payout_attempt (float_id) WHERE state IN ('submitting', 'in_transit', 'unknown');

-- Evidence: what providers were asked and said, apart from state ----------------------------------------------------

CREATE TABLE gateway.reply_to (
  id            uuid PRIMARY KEY,
  business_id   uuid NOT NULL REFERENCES gateway.business,
  livemode      boolean NOT NULL,
  created       timestamptz NOT NULL,
  secret_hash   bytea NOT NULL CHECK (length(secret_hash) = 32),
  connection_id uuid NOT NULL,
  subject_kind  text NOT NULL CHECK (subject_kind IN ('attempt', 'payout_attempt')),
  subject_id    uuid NOT NULL,
  purpose       text NOT NULL,
  CONSTRAINT reply_to_secret UNIQUE (secret_hash),
  CONSTRAINT reply_to_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode)
);

CREATE TABLE gateway.provider_call (
  id            uuid PRIMARY KEY,
  business_id   uuid NOT NULL,
  livemode      boolean NOT NULL,
  subject_kind  text NOT NULL,
  subject_id    uuid NOT NULL,
  connection_id uuid NOT NULL,
  operation     text NOT NULL,
  started_at    timestamptz NOT NULL,
  ended_at      timestamptz NOT NULL,
  outcome       text NOT NULL,
  detail        text
);
CREATE INDEX provider_call_of_subject ON gateway.provider_call (business_id, livemode, subject_id, id);

CREATE TABLE gateway.provider_callback (
  id            uuid PRIMARY KEY,
  business_id   uuid NOT NULL,
  livemode      boolean NOT NULL,
  reply_id      uuid NOT NULL REFERENCES gateway.reply_to,
  connection_id uuid NOT NULL,
  subject_kind  text NOT NULL,
  subject_id    uuid NOT NULL,
  received_at   timestamptz NOT NULL,
  headers       jsonb NOT NULL,
  body          bytea NOT NULL,                -- sealed
  body_hmac     bytea NOT NULL CHECK (length(body_hmac) = 32),
  peer          text NOT NULL,
  weighed_at    timestamptz,
  verdict       text,
  CONSTRAINT provider_callback_once UNIQUE (reply_id, body_hmac)
);
CREATE INDEX provider_callback_of_subject ON gateway.provider_callback (business_id, livemode, subject_id, id);

CREATE TABLE gateway.report (                  -- one row for each sum that a report names, or one row
  id                uuid PRIMARY KEY,
  business_id       uuid NOT NULL,
  livemode          boolean NOT NULL,
  subject_kind      text NOT NULL,
  subject_id        uuid NOT NULL,
  at                timestamptz NOT NULL,
  grade             text NOT NULL,
  status            text NOT NULL,
  secret            uuid,
  receipt_namespace text,
  receipt_number    text,
  currency          text,
  amount_units      numeric(38,0),
  happened_at       timestamptz,
  failure           jsonb,
  found_nothing     boolean NOT NULL,
  asked             boolean NOT NULL,
  unrecognised      text,
  payer_hint        text
);
CREATE INDEX report_of_subject ON gateway.report (business_id, livemode, subject_id, id);

-- Work that is due, and what businesses are told ---------------------------------------------------------------------

CREATE TABLE gateway.outbox (
  id          uuid PRIMARY KEY,
  business_id uuid NOT NULL,
  livemode    boolean NOT NULL,
  kind        text NOT NULL,
  queue       text NOT NULL CHECK (queue IN ('pay', 'ask', 'send', 'tend')),
  subject_id  uuid NOT NULL,
  due_at      timestamptz NOT NULL,            -- by the unit's clock, which a test may have moved
  lease_s     integer NOT NULL CHECK (lease_s > 0),
  lease_until timestamptz,                     -- by the server's clock
  holder      integer,                         -- the worker at it, by its session's lock; NULL while it is only queued
  dispatches  integer NOT NULL DEFAULT 0,
  generation  integer NOT NULL DEFAULT 1,      -- counts the puts
  claimed     integer NOT NULL DEFAULT 0,      -- the generation that the newest start took along
  failures    integer NOT NULL DEFAULT 0,      -- in a row
  done_at     timestamptz                      -- by the server's clock
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX outbox_one_open ON gateway.outbox (kind, subject_id) WHERE done_at IS NULL;
CREATE INDEX outbox_due ON gateway.outbox (queue, due_at) WHERE done_at IS NULL AND lease_until IS NULL;
CREATE INDEX outbox_leased ON gateway.outbox (queue, lease_until) WHERE done_at IS NULL AND lease_until IS NOT NULL;
CREATE INDEX outbox_done ON gateway.outbox (done_at) WHERE done_at IS NOT NULL;

CREATE TABLE gateway.event (
  id          uuid PRIMARY KEY,
  business_id uuid NOT NULL,
  livemode    boolean NOT NULL,
  created     timestamptz NOT NULL,
  type        text NOT NULL,
  object_id   uuid NOT NULL,
  sequence    integer NOT NULL CHECK (sequence > 0),
  payload     jsonb NOT NULL,
  CONSTRAINT event_list UNIQUE (business_id, livemode, id),
  CONSTRAINT event_sequence UNIQUE (business_id, livemode, object_id, sequence)
);
CREATE INDEX event_by_type ON gateway.event (business_id, livemode, type, id);

CREATE TABLE gateway.webhook_endpoint (
  id             uuid PRIMARY KEY,
  business_id    uuid NOT NULL REFERENCES gateway.business,
  livemode       boolean NOT NULL,
  created        timestamptz NOT NULL,
  updated        timestamptz NOT NULL,
  version        integer NOT NULL,
  metadata       jsonb NOT NULL,
  url            text NOT NULL,
  secret         bytea,                        -- sealed; erased when the endpoint is deleted
  enabled_events text[] NOT NULL,
  description    text,
  state          text NOT NULL CHECK (state IN ('enabled', 'disabled')),
  disabled_for   text,
  deleted_at     timestamptz,
  CONSTRAINT webhook_endpoint_list UNIQUE (business_id, livemode, id),
  CONSTRAINT webhook_endpoint_secret CHECK ((secret IS NULL) = (deleted_at IS NOT NULL))
);

CREATE TABLE gateway.delivery (
  id            uuid PRIMARY KEY,
  business_id   uuid NOT NULL,
  livemode      boolean NOT NULL,
  created       timestamptz NOT NULL,
  updated       timestamptz NOT NULL,
  version       integer NOT NULL,
  event_id      uuid NOT NULL,
  endpoint_id   uuid NOT NULL,
  state         text NOT NULL CHECK (state IN ('pending', 'retrying', 'delivered', 'exhausted')),
  tries         integer NOT NULL,
  last_status   integer,
  last_error    text,
  last_tried_at timestamptz,
  next_try_at   timestamptz,
  CONSTRAINT delivery_list UNIQUE (business_id, livemode, id),
  CONSTRAINT delivery_once UNIQUE (business_id, livemode, event_id, endpoint_id),
  CONSTRAINT delivery_event FOREIGN KEY (business_id, livemode, event_id) REFERENCES gateway.event (business_id, livemode, id),
  CONSTRAINT delivery_endpoint FOREIGN KEY (business_id, livemode, endpoint_id) REFERENCES gateway.webhook_endpoint (business_id, livemode, id)
);
CREATE INDEX delivery_of_endpoint ON gateway.delivery (business_id, livemode, endpoint_id, id);

CREATE TABLE gateway.delivery_try (
  id          uuid PRIMARY KEY,
  business_id uuid NOT NULL,
  livemode    boolean NOT NULL,
  delivery_id uuid NOT NULL,
  number      integer NOT NULL,
  at          timestamptz NOT NULL,
  status      integer,
  error       text,
  CONSTRAINT delivery_try_number UNIQUE (business_id, livemode, delivery_id, number),
  CONSTRAINT delivery_try_delivery FOREIGN KEY (business_id, livemode, delivery_id) REFERENCES gateway.delivery (business_id, livemode, id)
);

-- Guards and records -------------------------------------------------------------------------------------------------

CREATE TABLE gateway.idempotency_key (
  id          uuid PRIMARY KEY,
  owner_id    uuid NOT NULL,                   -- whose API key it was: the business, or a platform that acts for it
  business_id uuid NOT NULL,
  livemode    boolean NOT NULL,
  key_hash    bytea NOT NULL CHECK (length(key_hash) = 32),
  fingerprint bytea NOT NULL,
  object_id   uuid NOT NULL,
  lease_until timestamptz,                     -- by the server's clock; NULL: nobody is at it
  status      integer,
  answer      bytea,                           -- sealed: an answer may hold a capability URL
  keep_until  timestamptz NOT NULL,
  CONSTRAINT idempotency_key_scope UNIQUE (business_id, livemode, owner_id, key_hash),
  CONSTRAINT idempotency_key_answer CHECK ((status IS NULL) = (answer IS NULL))
);
CREATE INDEX idempotency_key_kept ON gateway.idempotency_key (keep_until);

CREATE TABLE gateway.taken_reference (         -- never swept: a payer may send money under an old reference
  float_id  uuid NOT NULL REFERENCES gateway.float,
  reference text NOT NULL,
  PRIMARY KEY (float_id, reference)
);

CREATE TABLE gateway.phone_prompt (
  id         uuid PRIMARY KEY,
  phone_hmac bytea NOT NULL,
  livemode   boolean NOT NULL,
  at         timestamptz NOT NULL
);
CREATE INDEX phone_prompt_recent ON gateway.phone_prompt (phone_hmac, livemode, at);

CREATE TABLE gateway.test_clock (              -- one row; read in sandbox installations only
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),
  shift interval NOT NULL DEFAULT '0'
);
INSERT INTO gateway.test_clock DEFAULT VALUES;

CREATE TABLE gateway.alert (
  id          uuid PRIMARY KEY,
  business_id uuid,
  livemode    boolean,
  kind        text NOT NULL,
  subject_id  uuid,
  detail      text NOT NULL,
  raised_at   timestamptz NOT NULL,
  resolved_at timestamptz
);
CREATE UNIQUE INDEX alert_one_open ON gateway.alert (kind, subject_id, livemode) NULLS NOT DISTINCT WHERE resolved_at IS NULL;

CREATE TABLE gateway.audit (
  id         uuid PRIMARY KEY,
  actor      text NOT NULL,
  action     text NOT NULL,
  subject_id uuid,
  reason     text NOT NULL CHECK (reason <> ''),
  at         timestamptz NOT NULL
);
RESET ROLE;
