"""Missing wedge, noise and CTF taken out of tomograms."""
