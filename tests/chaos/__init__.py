"""Chaos: seeded runs against a whole gateway whose processes die, whose replies are lost, and who is lied to."""
