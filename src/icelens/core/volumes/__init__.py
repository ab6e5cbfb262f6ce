"""Operations on 3D densities in real space."""
