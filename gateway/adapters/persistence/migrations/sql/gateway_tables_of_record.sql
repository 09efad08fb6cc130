-- The application's tables beside state: evidence, due work, events and deliveries, guards and records.
SET ROLE gateway_owner;

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
  queue       text NOT NULL CHECK (queue IN ('pay', 'ask', 'send', 'slow', 'tend')),
  subject_id  uuid NOT NULL,
  due_at      timestamptz NOT NULL,            -- by the unit's clock, which a test may have moved
  lease_s     integer NOT NULL CHECK (lease_s > 0),
  lease_until timestamptz,                     -- by the server's clock
  holder      integer,                         -- the worker at it, by its session's lock; NULL while it is only queued
  dispatches  integer NOT NULL DEFAULT 0,
  generation  integer NOT NULL DEFAULT 1,      -- counts the puts
  claimed     integer NOT NULL DEFAULT 0,      -- the generation that the newest start took along
  failures    integer NOT NULL DEFAULT 0,      -- in a row
  done_at     timestamptz,                     -- by the server's clock
  lane        uuid                             -- work that must not crowd out other work: whose it is
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX outbox_one_open ON gateway.outbox (kind, subject_id) WHERE done_at IS NULL;
CREATE INDEX outbox_due ON gateway.outbox (queue, due_at) WHERE done_at IS NULL AND lease_until IS NULL AND lane IS NULL;
CREATE INDEX outbox_lane_due ON gateway.outbox (queue, lane, due_at) WHERE done_at IS NULL AND lease_until IS NULL AND lane IS NOT NULL;
CREATE INDEX outbox_lane_busy ON gateway.outbox (lane) WHERE done_at IS NULL AND lease_until IS NOT NULL AND lane IS NOT NULL;
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
