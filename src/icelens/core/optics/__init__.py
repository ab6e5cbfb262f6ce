"""The microscope: contrast transfer, missing wedge, dose."""
