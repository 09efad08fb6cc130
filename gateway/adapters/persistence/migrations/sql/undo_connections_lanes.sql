-- Undoes connections_lanes.sql.
SET ROLE gateway_owner;
DROP FUNCTION gateway.start_due, gateway.claim_due, gateway.claim_lanes;
DROP TRIGGER outbox_lane ON gateway.outbox;
DROP FUNCTION gateway.set_lane;
UPDATE gateway.outbox SET queue = 'tend' WHERE kind = 'connection.pull';
RESET ROLE;
