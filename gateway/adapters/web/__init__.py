"""The REST API and the hosted checkout page."""
