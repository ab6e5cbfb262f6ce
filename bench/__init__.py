"""Figures of speed, memory and quality, measured by `python -m bench`; kept in RESULTS.md."""
