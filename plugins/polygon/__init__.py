"""Polygon PoS: an EVM chain that finalises in seconds, and takes no small tips."""
