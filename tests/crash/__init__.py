"""Real processes, really killed, at every boundary of a payment's and a payout's path."""
