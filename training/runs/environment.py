"""What a run was computed with: versions, machine, and how it is shared."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

import torch
from lightning_fabric import Fabric

from ptfan.engine.machine import processor
from ptfan.engine.versions import versions

__all__ = ["describe_environment"]

LIBRARIES = ("torch", "lightning-fabric", "safetensors")


def describe_environment(fabric: Fabric, *, seed: int, first_step: int) -> dict[str, Any]:
    """Return what decides over a session's results and pace beside its settings, for JSON."""
    device = fabric.device
    return {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "first_step": first_step,
        "seed": seed,
        "versions": versions() | {name: metadata.version(name) for name in LIBRARIES},
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "processes": fabric.world_size,
        "torch_threads": torch.get_num_threads(),
    }
