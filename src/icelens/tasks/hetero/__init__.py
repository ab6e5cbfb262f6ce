"""The continuum of structures in one data set: train, analyse, generate volumes, select."""
