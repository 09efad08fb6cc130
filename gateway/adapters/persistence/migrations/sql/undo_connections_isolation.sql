-- Undoes connections_isolation.sql; the functions that older files make are put back by the revision.
SET ROLE gateway_owner;
DROP FUNCTION gateway.put_due, gateway.claim_due, gateway.backlog_s, gateway.settle_degraded, gateway.spend_retry, gateway.is_well;
DROP TRIGGER outbox_lane ON gateway.outbox;
UPDATE gateway.outbox SET lane = NULL WHERE kind NOT LIKE 'webhook.%';
UPDATE gateway.outbox SET queue = 'tend' WHERE kind = 'connection.pull';
DELETE FROM gateway.outbox WHERE kind = 'payout.repeat';
DROP TRIGGER connection_health ON gateway.connection;
DROP FUNCTION gateway.add_health;
DROP TABLE gateway.connection_health;
CREATE TRIGGER outbox_lane BEFORE INSERT ON gateway.outbox FOR EACH ROW
  WHEN (NEW.lane IS NULL AND NEW.kind IN ('webhook.deliver', 'webhook.deliver_slowly'))
  EXECUTE FUNCTION gateway.set_lane();
RESET ROLE;
