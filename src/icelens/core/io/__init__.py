"""Files to objects and back; strict, atomic, torch-free."""
