"""The network: image to sphere to rotations."""
