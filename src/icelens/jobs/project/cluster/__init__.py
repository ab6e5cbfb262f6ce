"""Lanes of the site's cluster: SLURM, PBS, LSF, or whatever a lane's folder describes."""
