"""Mathematics, files and pictures; knows nothing above it."""
