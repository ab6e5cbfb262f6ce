"""Doors into the program; they know only the list of jobs."""
