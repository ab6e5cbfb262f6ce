"""Networks of hetero: images to latents, latents and frequencies to transforms of volumes."""
