"""Which versions of what a result was made with."""

from __future__ import annotations

import platform
from importlib import metadata

import ptfan

__all__ = ["ptfan_version", "versions"]

LIBRARIES = {
    "av": ["av"],
    "opencv": ["opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"],
    "numpy": ["numpy"],
    "onnxruntime": ["onnxruntime", "onnxruntime-gpu"],
    "openvino": ["openvino"],
}
"""Libraries by the name that is shown, and the packages that may bring them."""


def ptfan_version() -> str:
    """Return the version of ptfan."""
    return ptfan.__version__


def versions() -> dict[str, str]:
    """Return the versions of ptfan, Python and the libraries that decide over a result."""
    found = {name: _version(packages) for name, packages in LIBRARIES.items()}
    return {"ptfan": ptfan_version(), "python": platform.python_version(), **found}


def _version(packages: list[str]) -> str:
    return next(filter(None, map(_installed, packages)), "not installed")


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
