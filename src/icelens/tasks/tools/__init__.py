"""Small jobs without a network."""
