"""A benchmark's three files: everything as JSON, a table as Markdown, a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ptfan.engine.atomic import write_atomically
from ptfan.engine.folders import make_folder

__all__ = ["write_report"]


def write_report(folder: Path, name: str, everything: Mapping[str, object], table: str, figure: Any) -> None:
    """Write `NAME.json`, `NAME.md` and `NAME.png`.

    Args:
        folder: is made.
        name: of the files.
        everything: that JSON can hold.
        table: Markdown.
        figure: of matplotlib.

    Raises:
        OutputError: the folder cannot be written to.
    """
    make_folder(folder)
    write_atomically(folder / f"{name}.json", (json.dumps(everything, indent=1) + "\n").encode())
    write_atomically(folder / f"{name}.md", table.encode())
    figure.savefig(folder / f"{name}.png", dpi=110)
