"""What TensorRT for RTX has compiled for the sizes that came, kept beside a plan for the next process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ptfan.engine.atomic import write_atomically
from ptfan.engine.errors import OutputError

__all__ = ["RuntimeCache"]


class RuntimeCache:
    """A plan's cache. It saves time and nothing else: where it cannot be read or written, all goes on without."""

    def __init__(self, plan: Path, config: Any) -> None:
        """Read it.

        Args:
            plan: what it lies beside, by the same name and `.cache`.
            config: TensorRT's, of the contexts that are to use it.
        """
        self._path, self._cache, self._read = plan.with_name(f"{plan.name}.cache"), config.create_runtime_cache(), b""
        with suppress(OSError):
            self._read = self._path.read_bytes()
            self._cache.deserialize(self._read)  # not one of another GPU, driver or version: then it stays empty
        config.set_runtime_cache(self._cache)

    def save(self) -> None:
        """Write it, if there is anything new."""
        content = self._cache.serialize()
        if content is not None and bytes(content) != self._read:
            with suppress(OutputError):
                write_atomically(self._path, bytes(content))
