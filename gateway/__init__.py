"""The gateway: a core that knows rules, and adapters that know the world."""
