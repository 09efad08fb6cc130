"""Tests of what leaves us for businesses' own servers."""
