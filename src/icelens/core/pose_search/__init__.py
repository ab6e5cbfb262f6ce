"""Search of poses over all rotations and shifts by the likelihood of the images."""
