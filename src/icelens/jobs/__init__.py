"""How anything is asked for, run and recorded; imports no torch."""
