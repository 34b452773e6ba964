"""Video inpainting that people deploy: `ptfan.engine` is the runtime."""

__all__ = ["__version__"]

__version__ = "0.1.0"
"""The one place that the version is written down in."""
