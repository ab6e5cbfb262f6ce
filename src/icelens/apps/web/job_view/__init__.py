"""What pages show of a job, read from its files without trusting them."""
