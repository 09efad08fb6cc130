"""The treasury on real nodes: the whole loop from a prompt to tokens in a wallet, and back to shillings."""
