"""The published language between the gateway and its plugins: values, errors, ports and hooks."""
