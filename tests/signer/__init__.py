"""The signer: what it signs, what it refuses, what it remembers, and what nobody can learn from it."""
