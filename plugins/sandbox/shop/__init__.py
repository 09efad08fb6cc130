"""A small shop that sells through the gateway: the integration example, and somebody to be a customer of."""
