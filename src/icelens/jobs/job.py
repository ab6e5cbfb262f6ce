"""The one declaration of a job: its function, settings, citations and estimate."""
