"""Follow a folder with any number of processes: what each did, who does what, what is known."""
