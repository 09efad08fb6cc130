"""Base: an EVM chain that also charges for the layer below."""
