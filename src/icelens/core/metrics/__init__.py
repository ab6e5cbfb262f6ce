"""How good is it: Fourier shell correlation and its kin."""
