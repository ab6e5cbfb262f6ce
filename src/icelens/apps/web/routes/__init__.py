"""What the workbench answers, a file for each part."""
