"""Where a run computes: one device, or the processes that torchrun has started; and in which precision."""

from __future__ import annotations

import inspect
import logging
import os
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch.nn.parallel import DistributedDataParallel

from ptfan.engine.errors import BackendError
from ptfan.training.runs.config import Precision

__all__ = ["open_fabric"]

FABRIC_PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def open_fabric(device: str = "cpu", precision: Precision = "fp32") -> Fabric:
    """Return the launched Fabric of this process.

    Under torchrun, there is one process for each GPU of `device` "cuda", or any number of them on CPUs; they are
    joined by NCCL or gloo. Otherwise the process computes alone.

    Args:
        device: `cpu`, `cuda`, or one of several GPUs as `cuda:1`.
        precision: see `RunConfig.precision`.

    Raises:
        BackendError: the device is not there, or cannot compute so.
    """
    kind, _, index = device.partition(":")
    _check(device, kind, index, precision)
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # it tells at length what a run's folder tells
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=kind,
        devices=[int(index)] if index else local,
        num_nodes=world // local,
        strategy=_shared() if world > 1 else "auto",
        precision=FABRIC_PRECISION[precision],  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def _shared() -> DDPStrategy:
    """Return the strategy by which processes share gradients alone: the learner averages batch norm's statistics."""
    known = inspect.signature(DistributedDataParallel.__init__).parameters
    name = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"  # its older name
    quiet: dict[str, Any] = {name: False}
    return DDPStrategy(**quiet)


def _check(device: str, kind: str, index: str, precision: Precision) -> None:
    if kind not in ("cpu", "cuda") or (index and not (kind == "cuda" and index.isdecimal())):
        raise BackendError(f"device {device}: is none that ptfan trains on; expected cpu, cuda, or cuda:1 and the like")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if count <= int(index or 0):
            raise BackendError(f"device {device}: torch {torch.__version__} finds {count} CUDA GPUs; use --device cpu")
        if precision == "bf16" and not torch.cuda.is_bf16_supported():
            raise BackendError(f"device {device}: cannot compute in bf16; set the precision to fp16 or fp32")
    elif precision == "fp16":
        raise BackendError("device cpu: cannot train in fp16; set the precision to fp32, or use a GPU")
