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
  -- What it may be short of what is due was frozen with its terms.
  CONSTRAINT payment_paid CHECK (state <> 'succeeded' OR received_units >= due_units - COALESCE((terms->>'under')::numeric, 0))
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
  CONSTRAINT payout_attempt_list UNIQUE (business_id, livemode, id),
  CONSTRAINT payout_attempt_number UNIQUE (business_id, livemode, payout_id, number),
  CONSTRAINT payout_attempt_reference UNIQUE (connection_id, reference),
  CONSTRAINT payout_attempt_payout FOREIGN KEY (business_id, livemode, payout_id) REFERENCES gateway.payout (business_id, livemode, id),
  CONSTRAINT payout_attempt_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode),
  CONSTRAINT payout_attempt_float FOREIGN KEY (float_id, livemode) REFERENCES gateway.float (id, livemode)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX payout_attempt_one_live ON gateway.payout_attempt (business_id, livemode, payout_id) WHERE state NOT IN ('succeeded', 'failed');
CREATE INDEX payout_attempt_by_theirs ON gateway.payout_attempt (provider_reference_hmac) WHERE provider_reference_hmac IS NOT NULL;
CREATE INDEX payout_attempt_promised ON gateway.payout_attempt (float_id) WHERE state IN ('submitting', 'in_transit', 'unknown');
RESET ROLE;
