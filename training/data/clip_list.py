"""Lists of clip names, as commands take them."""

from __future__ import annotations

import json
from pathlib import Path

from ptfan.engine.errors import InputError, InputNotFoundError

__all__ = ["clip_list"]


def clip_list(file: str | Path | None) -> frozenset[str] | None:
    """Read a list of clip names, one a line (or a JSON array); None means every clip.

    Raises:
        InputNotFoundError: the list is not there.
        InputError: it is no text, or begins like a JSON array and is none.
    """
    if file is None:
        return None
    path = Path(file)
    if not path.is_file():
        raise InputNotFoundError(f"training data: the list of clips {path} is not there")
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin with a mark
        names = json.loads(text) if text.lstrip().startswith("[") else text.split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"training data: the list of clips {path} is no text in UTF-8; save it as one") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"training data: the list of clips {path} is no JSON array ({error})") from error
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"training data: the list of clips {path} is a JSON array, but not of texts alone")
    return frozenset(name.strip() for name in names if name.strip())
