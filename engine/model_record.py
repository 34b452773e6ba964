"""What a report says of the networks that a run used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ptfan.engine.inpainter import Inpainter
from ptfan.engine.models import file_sha256

__all__ = ["model_record"]


def model_record(inpainter: Inpainter) -> Mapping[str, Any]:
    """Return file, hash and spec of an inpainter's model, and the hashes of what completes flow and colours for it."""
    path = inpainter.runner.path
    helpers = {f"{name}_sha256": file_sha256(file) for name, file in inpainter.helpers.items()}
    return {"path": str(path), "sha256": file_sha256(path), "spec": asdict(inpainter.spec), **helpers}
