"""The workbench: jobs, files and pictures of a project in the browser."""
