"""A small file that a command leaves beside its result, if it is asked to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.errors import OutputError

__all__ = ["SideFile"]


@dataclass(frozen=True)
class SideFile:
    """A report or a picture: that it can be written is known before the work, which ends with writing it.

    Raises:
        OutputExistsError: the file exists and must stay.
        OutputError: it could not be written, or is `-`.
    """

    path: Path | None
    """The file; None where none is asked for."""
    overwrite: bool
    """Whether an existing file may be replaced."""

    def __post_init__(self) -> None:
        if self.path == Path("-"):
            raise OutputError("-: stands for standard output, which takes none of these; give the name of a file")
        if self.path is not None:
            check_target(self.path, overwrite=self.overwrite)

    def write(self, content: str | bytes) -> None:
        """Write it, if it is asked for.

        Raises:
            OutputError: it cannot be written; an older one stays.
        """
        if self.path is not None:
            content = content.encode() if isinstance(content, str) else content
            write_atomically(self.path, content, overwrite=self.overwrite)
