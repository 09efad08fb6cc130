"""The simulated M-Pesa: Daraja's OAuth, push, query, B2C and transaction status, written from public papers alone."""
