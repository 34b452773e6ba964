"""What a command was given beside a run's settings."""

from __future__ import annotations

from dataclasses import dataclass

from ptfan.training.runs.data import DataSource
from ptfan.training.runs.session_options import SessionOptions

__all__ = ["Arguments"]


@dataclass(frozen=True, kw_only=True)
class Arguments(SessionOptions):
    """The first session's options, and what the run begins with; its folder keeps them, for it to go on by."""

    source: DataSource
    """Where the clips are."""
    command: str = "train"
    """The sub-command itself."""
    start: str | None = None
    """The checkpoint that the run started from."""
