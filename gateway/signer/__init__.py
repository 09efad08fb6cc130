"""The signer: a process of its own, which alone holds keys, and signs what it has read itself and its rules allow.

Nothing of the rest of the gateway is used here but words of the ports, and nothing here is used by it but `client`.
"""
