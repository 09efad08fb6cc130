"""Chains of the EVM family: everything that Celo, Polygon and Base share. Each of them adds a set of facts."""
