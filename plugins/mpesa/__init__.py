"""M-Pesa through Safaricom's Daraja API: push collections and B2C payouts."""
