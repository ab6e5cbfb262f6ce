"""Rotations, symmetry and the one convention that binds them."""
