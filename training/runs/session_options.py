"""What may differ from one session of a run to the next."""

from __future__ import annotations

from dataclasses import dataclass

from ptfan.engine.checks import check_numbers

__all__ = ["SessionOptions"]


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """Where a run is computed, and how often it is saved and told of: nothing that the settings decide."""

    device: str = "cpu"
    """Where to compute: `cpu`, `cuda`, `cuda:1` ..."""
    threads: int = 1
    """Threads of torch: on a CPU, more than one mostly wait for each other; 0 leaves it to torch."""
    workers: int = 1
    """Processes that make samples, for each process that trains; 0 makes them in between."""
    save_every: int = 250
    """Steps between two saves, each with a picture for TensorBoard."""
    keep_every: int = 5000
    """Steps between two checkpoints that stay; 0 keeps the latest alone."""
    log_every: int = 25
    """Steps that an entry of the log is the mean of."""

    def __post_init__(self) -> None:
        check_numbers("training", self, "threads", "workers", "keep_every")
        check_numbers("training", self, "save_every", "log_every", least=1)
