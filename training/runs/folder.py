"""The folder of a run: what was asked for, what came of it, and what is needed to go on."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ptfan.engine.atomic import replacing, write_atomically
from ptfan.engine.errors import InputError, InputNotFoundError, OutputExistsError
from ptfan.engine.folders import make_folder
from ptfan.training.runs.config import RunConfig

__all__ = ["RunFolder"]


@dataclass(frozen=True)
class RunFolder:
    """The files of a run."""

    path: Path
    """The folder."""

    @property
    def config(self) -> Path:
        """The settings, JSON."""
        return self.path / "config.json"

    @property
    def arguments(self) -> Path:
        """Where the data lies and what else the command was given, JSON."""
        return self.path / "arguments.json"

    @property
    def environment(self) -> Path:
        """Versions and machine of each session, JSON."""
        return self.path / "environment.json"

    @property
    def log(self) -> Path:
        """Losses and measures, one JSON object a line."""
        return self.path / "log.jsonl"

    @property
    def curves(self) -> Path:
        """The log as a picture."""
        return self.path / "curves.png"

    @property
    def board(self) -> Path:
        """Folder of TensorBoard's files."""
        return self.path / "tensorboard"

    @property
    def state(self) -> Path:
        """Everything that is needed to go on."""
        return self.path / "state.pt"

    @property
    def checkpoint(self) -> Path:
        """The model as it is now, for use."""
        return self.path / "checkpoint.safetensors"

    def kept(self, step: int) -> Path:
        """Return the name of a checkpoint that stays."""
        return self.path / "checkpoints" / f"step-{step:07d}.safetensors"

    def check_new(self) -> None:
        """Check that a new run can begin here.

        Raises:
            OutputExistsError: the folder holds a run already.
        """
        if self.config.exists():
            raise OutputExistsError(
                f"{self.path}: holds a run already; go on with --resume {self.path}, or take a new folder"
            )

    def create(self, config: RunConfig, arguments: dict[str, Any]) -> None:
        """Begin a new run, where `check_new` has found none."""
        make_folder(self.path)
        write_atomically(self.arguments, _json(arguments))
        self.write_config(config)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run that is there.

        Raises:
            InputNotFoundError: it is not.
        """
        folder = cls(path)
        if not folder.config.is_file():
            raise InputNotFoundError(
                f"{path}: holds no run (there is no config.json); expected a folder of ptfan train"
            )
        return folder

    def write_config(self, config: RunConfig) -> None:
        """Write the settings; a run may be lengthened."""
        write_atomically(self.config, config.to_json().encode() + b"\n")

    def read_arguments(self) -> dict[str, Any]:
        """Return what the command was given.

        Raises:
            InputError: the file is not there or no JSON object.
        """
        try:
            arguments = json.loads(self.arguments.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.arguments}: cannot be read ({error}); take a new folder") from error
        if not isinstance(arguments, dict):
            raise InputError(f"{self.arguments}: is no JSON object; take a new folder")
        return arguments

    def write_state(self, state: dict[str, Any]) -> None:
        """Write the state, whole or not at all.

        Raises:
            OutputError: it cannot be written; an older one stays.
        """
        with replacing(self.state) as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:  # With a full disk, torch fails once more while it ends its archive.
                raise error.__context__ if isinstance(error.__context__, OSError) else error from None

    def read_state(self) -> dict[str, Any] | None:
        """Return the state; None if the run was never saved.

        Raises:
            InputError: it cannot be read.
        """
        if not self.state.exists():
            return None
        try:
            state = torch.load(self.state, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, LookupError, pickle.UnpicklingError) as error:
            raise InputError(f"{self.state}: cannot be read as the state of a run; take a new folder") from error
        return dict(state)

    def sessions(self) -> list[dict[str, Any]]:
        """Return the environment of each session so far."""
        return list(json.loads(self.environment.read_text(encoding="utf-8"))) if self.environment.exists() else []

    def add_session(self, session: dict[str, Any]) -> None:
        """Add a session to the environment."""
        write_atomically(self.environment, _json([*self.sessions(), session]))

    def add_entry(self, entry: dict[str, Any]) -> None:
        """Add a line to the log."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def forget_after(self, step: int) -> None:
        """Take entries of later steps off the log: a run that was killed goes on from its last state."""
        if self.log.exists():
            lines = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
            write_atomically(self.log, "".join(kept).encode())


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
