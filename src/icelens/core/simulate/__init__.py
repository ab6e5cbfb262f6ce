"""Small truth for tests, demos and benchmarks."""
