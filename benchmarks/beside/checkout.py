"""Published code in a folder of the user's, and how its modules are imported."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar
from unittest.mock import patch

import torch
from torch import nn

from ptfan.engine.errors import InputError, InputNotFoundError, one_line

__all__ = ["SEED", "Checkout", "quiet"]

SEED = 0
"""Of the random weights."""


@dataclass(frozen=True)
class Checkout:
    """The published code in a folder of the user's."""

    folder: Path
    """The root of the repository."""

    what: ClassVar[str] = "the published code"
    """Whose checkout is expected, for errors."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Files by which a checkout is known."""
    sources: ClassVar[str] = "."
    """The folder that its modules are imported from."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Its packages, as its modules import them."""

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise InputNotFoundError(f"{self.folder}: no such folder, expected a checkout of {self.what}")
        missing = [name for name in self.needed if not (self.folder / name).is_file()]
        if missing:
            raise InputNotFoundError(f"{self.folder}: has no {missing[0]}, expected a checkout of {self.what}")

    @property
    def commit(self) -> str:
        """The commit that is checked out."""
        command = ["git", "-C", str(self.folder), "rev-parse", "--short", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() or "unknown"

    @contextlib.contextmanager
    def building(self, stand_ins: Mapping[str, ModuleType]) -> Iterator[None]:
        """Let networks be built: with its own modules, the same random weights each time, and nothing loaded.

        Args:
            stand_ins: modules that are imported in place of libraries, by name.

        Raises:
            InputError: its modules cannot be imported.
        """
        try:
            with self._importing(stand_ins), _without_weights(), torch.random.fork_rng():
                torch.manual_seed(SEED)
                yield
        except ImportError as error:
            raise InputError(f"{self.folder}: cannot be imported ({one_line(error, 200)})") from error

    @contextlib.contextmanager
    def _importing(self, stand_ins: Mapping[str, ModuleType]) -> Iterator[None]:
        """Let its modules be imported by their own names, which are common ones; leave none of them behind."""
        path, names = str(self.folder / self.sources), (*self.packages, *stand_ins)
        others = _take_out(names)
        sys.modules.update(stand_ins)
        sys.path.insert(0, path)
        try:
            with patch.object(sys, "dont_write_bytecode", True), contextlib.redirect_stdout(io.StringIO()), quiet():
                yield
        finally:
            sys.path.remove(path)
            _take_out(names)
            sys.modules.update(others)


def _take_out(packages: Sequence[str]) -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in packages}


@contextlib.contextmanager
def _without_weights() -> Iterator[None]:
    """Build networks without weights that they always load, from files that are in no checkout."""
    with patch.object(torch, "load", lambda *path, **options: None), patch.object(nn.Module, "load_state_dict"):
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep back what newer releases of torch say about the published code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
