"""Opening what is to be read: whatever its name looks like, and whatever its titles are written in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

__all__ = ["open_container"]

_RELEASE = int(av.__version__.partition(".")[0])
_LENIENT: dict[str, Any] = {} if _RELEASE >= 19 else {"metadata_errors": "replace"}
"""Arguments by which titles and the like do no harm that are in no encoding that can be told; PyAV 19 needs none."""


def open_container(location: Any, **how: Any) -> av.container.InputContainer:
    """Open a file, a URL that FFmpeg reads, or an object to read from.

    Args:
        location: A path, a URL or a file object. Give images as objects: FFmpeg takes `mask%d.png` for a pattern.
        how: Further arguments of `av.open`: format, options, timeout.

    Raises:
        av.FFmpegError: It cannot be opened, or is of no kind that FFmpeg knows.
        ValueError: An argument cannot be used.
    """
    container: av.container.InputContainer = av.open(_address(location), **_LENIENT, **how)
    return container


def _address(location: Any) -> Any:
    """Return a URL as it is, and a path in full: FFmpeg takes what stands before a colon for a protocol."""
    is_path = isinstance(location, Path) or (isinstance(location, str) and "://" not in location)
    return str(Path(location).absolute()) if is_path else location
