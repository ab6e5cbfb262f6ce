"""Networks that give each voxel its classes."""
