"""icelens: cryo-EM with deep learning, one package from tomogram to structure."""

__version__ = "0.1.0"
