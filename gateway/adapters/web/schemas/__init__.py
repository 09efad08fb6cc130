"""Schemas: what requests may hold, checked strictly, and what answers hold, for the documentation."""
