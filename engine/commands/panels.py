"""The headings under which `ptfan --help` lists the commands."""

from __future__ import annotations

__all__ = ["CLEAN", "MACHINE", "MODELS"]

CLEAN = "Clean videos"
MACHINE = "What this machine can do"
MODELS = r"Make and judge models (with torch: pip install 'ptfan\[train,export]')"
