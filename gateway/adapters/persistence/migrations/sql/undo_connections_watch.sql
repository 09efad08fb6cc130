-- Undoes connections_watch.sql.
SET ROLE gateway_owner;
DROP FUNCTION gateway.metrics, gateway.backlog_s, gateway.held_due, gateway.oldest_due, gateway.lanes_held, gateway.is_closed,
  gateway.moment_of;
RESET ROLE;
