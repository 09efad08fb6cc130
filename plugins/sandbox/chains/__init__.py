"""Local chains for the sandbox: real EVM nodes, contracts to play with, and an endpoint that misbehaves on demand."""
