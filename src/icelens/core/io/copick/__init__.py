"""Projects: copick's filesystem layout, and plain folders that behave like one."""
