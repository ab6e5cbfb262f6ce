"""A project: a folder of jobs, its queue, and what runs them."""
