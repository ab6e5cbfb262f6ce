"""What the latents of particles say: components, clusters, paths, densities and their support."""
