"""Transforms, frequency grids, shells, filters and central slices."""
