"""Swypt: shillings by M-Pesa prompt into tokens of a pooled wallet, and tokens out to M-Pesa phones."""
