"""Doors into the program: the command line, which knows only the list of jobs, and `open_run`."""
