"""Orientations of single particles: train, infer, refine, watch."""
