"""The composition root: the only place that joins rooms. What a room needs joined stands in a module of its own."""

from gateway.bootstrap.gateway import Gateway, TestClock

__all__ = ["Gateway", "TestClock"]
