"""What the start page shows: the demo, the way to a result, recent projects."""
