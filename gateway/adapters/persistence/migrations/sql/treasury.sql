-- Pooled wallets, what chains show of them, conversions, and the transactions that we sign.
SET ROLE gateway_owner;

ALTER TABLE gateway.receipt ADD COLUMN clearing_id uuid;  -- the connection of a partner who holds the money
ALTER TABLE gateway.receipt ADD CONSTRAINT receipt_clearing FOREIGN KEY (clearing_id, livemode) REFERENCES gateway.connection (id, livemode);

CREATE TABLE gateway.wallet (
  id            uuid PRIMARY KEY,
  livemode      boolean NOT NULL,
  created       timestamptz NOT NULL,
  updated       timestamptz NOT NULL,
  version       integer NOT NULL,
  network       text NOT NULL,
  connection_id uuid NOT NULL,
  address       text NOT NULL CHECK (address ~ '^0x[0-9a-f]{40}$'),
  title         text NOT NULL,
  state         text NOT NULL CHECK (state IN ('active', 'paused')),
  paused_for    text,
  next_nonce    bigint NOT NULL CHECK (next_nonce >= 0),
  CONSTRAINT wallet_mode UNIQUE (id, livemode),
  CONSTRAINT wallet_address UNIQUE (livemode, network, address),
  CONSTRAINT wallet_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode)
);

-- How far each chain was read, and the highest final block that anybody ever told of.
CREATE TABLE gateway.chain_cursor (
  connection_id uuid PRIMARY KEY,
  livemode      boolean NOT NULL,
  network       text NOT NULL,
  number        bigint NOT NULL,
  hash          text NOT NULL,
  final_number  bigint NOT NULL,
  final_hash    text NOT NULL,
  final_at      timestamptz NOT NULL,
  held          text,
  updated       timestamptz NOT NULL,
  CONSTRAINT chain_cursor_network UNIQUE (livemode, network),
  CONSTRAINT chain_cursor_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode)
);

-- The blocks between the final one and the cursor: where a fork parted is found by them.
CREATE TABLE gateway.chain_header (
  livemode boolean NOT NULL,
  network  text NOT NULL,
  number   bigint NOT NULL,
  hash     text NOT NULL,
  PRIMARY KEY (livemode, network, number)
);

-- Tokens that moved to or from a wallet. The first three columns of its key are the fact's name for ever; the block isn't.
CREATE TABLE gateway.sighting (
  id            uuid PRIMARY KEY,
  livemode      boolean NOT NULL,
  created       timestamptz NOT NULL,
  updated       timestamptz NOT NULL,
  version       integer NOT NULL,
  network       text NOT NULL,
  tx            text NOT NULL CHECK (tx ~ '^0x[0-9a-f]{64}$'),
  position      integer NOT NULL CHECK (position >= 0),
  block         bigint NOT NULL,
  block_hash    text NOT NULL,
  wallet_id     uuid NOT NULL,
  asset         text NOT NULL,
  scale         integer NOT NULL,              -- decimal places of the token
  incoming      boolean NOT NULL,
  counterparty  text NOT NULL,
  units         numeric(38,0) NOT NULL CHECK (units > 0),
  state         text NOT NULL CHECK (state IN ('seen', 'booked', 'orphaned')),
  conversion_id uuid,                          -- whose tokens they are, once known
  booked_hash   text,                          -- the block that the journal was posted from
  bookings      integer NOT NULL CHECK (bookings >= 0),
  kept_units    numeric(38,0) NOT NULL CHECK (kept_units >= 0),      -- how it was booked: bought tokens, tokens of nobody,
  surplus_units numeric(38,0) NOT NULL CHECK (surplus_units >= 0),   -- and what was paid for them
  cost_units    numeric(38,0) NOT NULL CHECK (cost_units >= 0),
  fee_units     numeric(38,0) NOT NULL CHECK (fee_units >= 0),
  CONSTRAINT sighting_fact UNIQUE (livemode, network, tx, position, incoming),
  CONSTRAINT sighting_wallet FOREIGN KEY (wallet_id, livemode) REFERENCES gateway.wallet (id, livemode)
);
CREATE INDEX sighting_open ON gateway.sighting (livemode, network, block) WHERE state = 'seen';
CREATE INDEX sighting_block ON gateway.sighting (livemode, network, block);

CREATE TABLE gateway.conversion (
  id              uuid PRIMARY KEY,
  business_id     uuid NOT NULL,               -- whose money it carries; nobody's business but ours
  livemode        boolean NOT NULL,
  created         timestamptz NOT NULL,
  updated         timestamptz NOT NULL,
  version         integer NOT NULL,
  direction       text NOT NULL CHECK (direction IN ('in', 'out')),
  state           text NOT NULL CHECK (state IN ('quoted', 'requested', 'executing', 'unknown', 'short', 'settled', 'failed')),
  connection_id   uuid NOT NULL,
  source_id       uuid NOT NULL,
  network         text NOT NULL,
  address         text NOT NULL,
  currency        text NOT NULL,
  fiat_units      numeric(38,0) NOT NULL CHECK (fiat_units > 0),
  fee_units       numeric(38,0) NOT NULL CHECK (fee_units >= 0 AND fee_units <= fiat_units),
  asset           text NOT NULL,
  scale           integer NOT NULL,            -- decimal places of the token
  token_units     numeric(38,0) NOT NULL CHECK (token_units >= 0),
  got_units       numeric(38,0) NOT NULL CHECK (got_units >= 0),
  converted_units numeric(38,0) NOT NULL CHECK (converted_units >= 0 AND converted_units <= fiat_units),
  reference       text,
  provider_order  text,
  tx              text,
  held_for        text,
  sends           integer NOT NULL,
  look_ups        integer NOT NULL,
  CONSTRAINT conversion_source UNIQUE (livemode, direction, source_id),
  CONSTRAINT conversion_connection FOREIGN KEY (connection_id, livemode) REFERENCES gateway.connection (id, livemode)
);
CREATE INDEX conversion_price ON gateway.conversion (livemode, asset, currency, updated) WHERE state = 'settled';
CREATE INDEX conversion_open ON gateway.conversion (livemode, connection_id, created) WHERE state NOT IN ('settled', 'failed');
-- One transaction delivers one order: a partner that names it for two is believed for the first.
CREATE UNIQUE INDEX conversion_tx ON gateway.conversion (livemode, network, tx) WHERE tx IS NOT NULL AND direction = 'in';

CREATE TABLE gateway.chain_transfer (
  id            uuid PRIMARY KEY,
  scope_id      uuid NOT NULL,                 -- whose conversion it serves: an id alone, since one wallet serves all
  livemode      boolean NOT NULL,
  created       timestamptz NOT NULL,
  updated       timestamptz NOT NULL,
  version       integer NOT NULL,
  network       text NOT NULL,
  wallet_id     uuid NOT NULL,
  purpose       text NOT NULL,
  conversion_id uuid,
  step          integer NOT NULL,
  intent        jsonb NOT NULL,
  asset         text NOT NULL,
  spends_units  numeric(38,0) NOT NULL CHECK (spends_units >= 0),
  state         text NOT NULL CHECK (state IN ('built', 'signed', 'broadcast', 'confirming', 'confirmed', 'dropped', 'reorged', 'failed', 'refused')),
  nonce         bigint,
  tip           numeric(38,0),
  max_fee       numeric(38,0),
  tx            text,
  block         bigint,
  block_hash    text,
  fee_units     numeric(38,0) NOT NULL CHECK (fee_units >= 0),
  sent_at       timestamptz,
  failure       text,
  CHECK ((nonce IS NULL) = (state IN ('built', 'refused'))),
  CONSTRAINT chain_transfer_step UNIQUE (livemode, conversion_id, step),
  CONSTRAINT chain_transfer_nonce UNIQUE (wallet_id, nonce),
  CONSTRAINT chain_transfer_wallet FOREIGN KEY (wallet_id, livemode) REFERENCES gateway.wallet (id, livemode)
);
CREATE INDEX chain_transfer_open ON gateway.chain_transfer (wallet_id, id) WHERE state NOT IN ('confirmed', 'failed', 'refused');

-- Every signature that was ever given for a transfer. One of a transfer's can be mined; all of them may be sent again.
CREATE TABLE gateway.chain_signed (
  livemode    boolean NOT NULL,
  network     text NOT NULL,
  tx          text NOT NULL CHECK (tx ~ '^0x[0-9a-f]{64}$'),
  transfer_id uuid NOT NULL REFERENCES gateway.chain_transfer,
  signed_bytes bytea NOT NULL,
  nonce       bigint NOT NULL,
  tip         numeric(38,0) NOT NULL,
  max_fee     numeric(38,0) NOT NULL,
  created     timestamptz NOT NULL,
  PRIMARY KEY (livemode, network, tx)
);
CREATE INDEX chain_signed_of ON gateway.chain_signed (transfer_id);

-- Whose tokens came: the conversion that names the transaction. It gives ids alone.
CREATE FUNCTION gateway.conversion_of_tx(p_livemode boolean, p_network text, p_tx text)
  RETURNS TABLE (conversion_id uuid, business_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.id, c.business_id FROM gateway.conversion c
  WHERE c.livemode = p_livemode AND c.network = p_network AND c.tx = p_tx AND c.direction = 'in'
$$;

-- Whether some conversion into that wallet hasn't named its transaction yet: its tokens may be the ones that came.
CREATE FUNCTION gateway.awaited_in(p_livemode boolean, p_network text, p_address text, p_asset text, p_since timestamptz)
  RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM gateway.conversion c
    WHERE c.livemode = p_livemode AND c.network = p_network AND c.address = p_address AND c.asset = p_asset AND c.direction = 'in'
      AND c.tx IS NULL AND c.state NOT IN ('settled', 'failed') AND c.created > p_since)
$$;

-- What a token last cost: the newest conversions of the mode that settled, of whichever business.
CREATE FUNCTION gateway.last_price(p_livemode boolean, p_asset text, p_currency text, OUT fiat numeric, OUT tokens numeric)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT sum(c.converted_units - c.fee_units), sum(c.got_units) FROM (
    SELECT c.converted_units, c.fee_units, c.got_units FROM gateway.conversion c
    WHERE c.livemode = p_livemode AND c.asset = p_asset AND c.currency = p_currency AND c.direction = 'in' AND c.state = 'settled'
    ORDER BY c.updated DESC LIMIT 10) c
$$;

DO $policies$
DECLARE
  word text;
  mode constant text := $p$livemode = NULLIF(current_setting('app.livemode', true), '')::boolean$p$;
  mine constant text := mode || $p$ AND business_id = NULLIF(current_setting('app.business', true), '')::uuid$p$;
BEGIN
  FOREACH word IN ARRAY ARRAY['wallet', 'chain_cursor', 'chain_header', 'sighting', 'conversion', 'chain_transfer', 'chain_signed'] LOOP
    EXECUTE format('ALTER TABLE gateway.%I ENABLE ROW LEVEL SECURITY', word);
    EXECUTE format('ALTER TABLE gateway.%I FORCE ROW LEVEL SECURITY', word);
    EXECUTE format('CREATE POLICY every ON gateway.%I TO gateway_operator USING (true) WITH CHECK (true)', word);
    EXECUTE format('CREATE POLICY doors ON gateway.%I TO gateway_owner USING (true) WITH CHECK (true)', word);
  END LOOP;
  FOREACH word IN ARRAY ARRAY['wallet', 'chain_cursor', 'chain_header', 'sighting', 'chain_transfer', 'chain_signed'] LOOP
    EXECUTE format('CREATE POLICY pooled ON gateway.%I TO gateway_worker USING (%s) WITH CHECK (%s)', word, mode, mode);
  END LOOP;
  EXECUTE format('CREATE POLICY own ON gateway.conversion TO gateway_worker USING (%s) WITH CHECK (%s)', mine, mine);
END $policies$;

-- Web has no part in any of it.
GRANT SELECT ON gateway.wallet, gateway.chain_cursor, gateway.chain_header, gateway.sighting, gateway.conversion,
  gateway.chain_transfer, gateway.chain_signed TO gateway_worker, gateway_operator;
GRANT INSERT, UPDATE ON gateway.wallet TO gateway_operator;
GRANT UPDATE (updated, version, next_nonce) ON gateway.wallet TO gateway_worker;
GRANT INSERT, UPDATE ON gateway.chain_cursor TO gateway_worker, gateway_operator;
GRANT INSERT, UPDATE, DELETE ON gateway.chain_header TO gateway_worker;
GRANT INSERT ON gateway.chain_header TO gateway_operator;
GRANT INSERT, UPDATE ON gateway.sighting, gateway.conversion, gateway.chain_transfer TO gateway_worker, gateway_operator;
GRANT INSERT ON gateway.chain_signed TO gateway_worker;
REVOKE ALL ON FUNCTION gateway.conversion_of_tx, gateway.awaited_in, gateway.last_price FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gateway.conversion_of_tx, gateway.awaited_in, gateway.last_price TO gateway_worker, gateway_operator;
RESET ROLE;

SET ROLE ledger_owner;
-- The middle of an exchange, credits less debits, with what still waits to be carried.
CREATE FUNCTION ledger.position_of(p_livemode boolean, p_asset text) RETURNS numeric
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE((SELECT n.balance FROM ledger.account a JOIN ledger.balance_now n ON n.account_id = a.id
    WHERE a.path = 'fx:position:' || p_asset AND a.asset = p_asset AND a.livemode = p_livemode), 0)
$$;

-- The assets of a chain, so that the books can hold them. Raises when one is known with another scale.
CREATE FUNCTION ledger.know_assets(p_codes text[], p_scales integer[]) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(p_codes, p_scales) AS n (code, scale) JOIN ledger.asset a ON a.code = n.code WHERE a.scale <> n.scale) THEN
    RAISE EXCEPTION 'an asset is known with another scale' USING ERRCODE = 'LG004';
  END IF;
  INSERT INTO ledger.asset (code, scale) SELECT n.code, n.scale FROM unnest(p_codes, p_scales) AS n (code, scale) ON CONFLICT DO NOTHING;
END $$;

REVOKE ALL ON FUNCTION ledger.position_of, ledger.know_assets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.position_of TO gateway_worker, gateway_operator;
GRANT EXECUTE ON FUNCTION ledger.know_assets TO gateway_operator;
RESET ROLE;
