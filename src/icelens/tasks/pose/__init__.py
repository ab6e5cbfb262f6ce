"""Orientations of single particles: learned, refined, reconstructed."""
