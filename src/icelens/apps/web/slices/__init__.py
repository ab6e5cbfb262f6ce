"""Planes of volumes for the viewer: opened once, cut along any axis, packed as 16-bit greys."""
