"""The architectures that `pick` knows: for each its settings and how it is built."""
