"""Acme Pay, a provider that doesn't exist: it prompts a phone, and tells by HTTP what came of it."""
