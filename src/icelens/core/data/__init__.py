"""Frozen objects that validate themselves and travel between modules."""
