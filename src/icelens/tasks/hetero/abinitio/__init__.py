"""Structures from images whose poses nobody knows."""
