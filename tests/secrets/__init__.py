"""Secrets and phone numbers planted in a running gateway, and every place that must not show them."""
