"""Local refinement of poses by the likelihood of the images."""
