"""Networks that more than one task may use."""
