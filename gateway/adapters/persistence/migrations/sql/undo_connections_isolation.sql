-- Undoes connections_isolation.sql.
SET ROLE gateway_owner;
DROP FUNCTION gateway.settle_degraded, gateway.spend_retry, gateway.is_well;
DELETE FROM gateway.outbox WHERE kind = 'payout.repeat';
DROP TRIGGER connection_health ON gateway.connection;
DROP FUNCTION gateway.add_health;
DROP TABLE gateway.connection_health;
RESET ROLE;
