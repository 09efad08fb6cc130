"""Celo: an EVM chain of one-second blocks, where gas may be paid in stablecoins."""
