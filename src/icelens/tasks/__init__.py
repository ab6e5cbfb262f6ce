"""The capabilities, peers that never import each other."""
