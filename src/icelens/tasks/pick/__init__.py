"""Pick: particles found in tomograms, from annotation to scored coordinates."""
