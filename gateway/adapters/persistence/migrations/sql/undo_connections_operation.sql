-- Undoes connections_operation.sql.
SET ROLE gateway_owner;
DROP TRIGGER payout_attempt_hurries ON gateway.payout_attempt;
DROP FUNCTION gateway.connection_facts, gateway.tally, gateway.balance_asked, gateway.hurry_balance, gateway.promise_tending,
  gateway.watch_floats;
DROP FUNCTION gateway.settle_float_alert, gateway.is_low, gateway.settle_alert, gateway.float_standing;
DELETE FROM gateway.outbox WHERE kind IN ('connection.balance', 'connection.check', 'own.submit', 'own.look_up');
DROP INDEX gateway.attempt_in_doubt;
DROP TABLE gateway.tally_mark, gateway.request_tally, gateway.call_tally, gateway.own_transfer, gateway.halt, gateway.provider_charge,
  gateway.float_balance;
ALTER TABLE gateway.float DROP COLUMN low_units;
RESET ROLE;
