"""`icelens jobs`: the queue of a project on the command line."""
