"""The demonstration: a real clip with a logo burnt in, and the mask of that logo."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DEMO_CLIP", "DEMO_MASK"]

DEMO_CLIP = Path(__file__).parent / "bikes.mp4"
"""640x272, 25 frames a second; see README.md beside it for where it comes from."""
DEMO_MASK = Path(__file__).parent / "bikes_mask.png"
"""The logo and the coding noise round it."""
