"""Opening what is to be read: whatever its name looks like, whatever its titles are written in, and nothing besides."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import av

__all__ = ["LEADS_AWAY", "PLAYLISTS", "open_container"]

PLAYLISTS = frozenset({"hls", "dash"})
"""Formats that name the parts of a live stream."""
_LEADING_AWAY = PLAYLISTS | {
    *("concat", "imf", "sdp", "sap", "rtp", "rtsp", "webm_dash_manifest", "vobsub"),
    *("avisynth", "vapoursynth", "lavfi"),
}
"""Formats whose content names other files or addresses, or is a program: FFmpeg opens, or runs, what it names."""
LEADS_AWAY = "a playlist or the like, which names other files or addresses"
"""Said of what is of such a format."""
_RELEASE = int(av.__version__.partition(".")[0])
_LENIENT: dict[str, Any] = {} if _RELEASE >= 19 else {"metadata_errors": "replace"}
"""Arguments by which titles and the like do no harm that are in no encoding that can be told; PyAV 19 needs none."""


def open_container(location: Any, *, live: bool = False, **how: Any) -> av.container.InputContainer:
    """Open a file, a URL that FFmpeg reads, or an object to read from.

    Nothing but that is opened: what comes from strangers must not lead to other files, nor to addresses that this
    machine alone may reach.

    Args:
        location: A path, a URL or a file object.
        live: Whether it is a stream that may consist of parts elsewhere, as playlists and RTSP tell of.
        how: Further arguments of `av.open`: format, options, timeout.

    Raises:
        av.ArgumentError: It is of a kind that leads elsewhere, or an option cannot be used.
        av.FFmpegError: It cannot be opened, or is of no kind that FFmpeg knows.
        ValueError: An argument cannot be used.
    """
    options = {**({} if live else _confined(location)), **how.pop("options", {})}
    container: av.container.InputContainer = av.open(_address(location), options=options, **_LENIENT, **how)
    return container


def _confined(location: Any) -> dict[str, str]:
    """Return the options by which FFmpeg opens nothing but what it is given."""
    if _is_address(location):  # FFmpeg itself keeps web servers from naming files
        return {"format_whitelist": _plain_formats()}
    # Without a list, what is named in an object may be anything. An image's name is no pattern for others.
    return {"format_whitelist": _plain_formats(), "protocol_whitelist": "file", "pattern_type": "none"}


@lru_cache
def _plain_formats() -> str:
    return ",".join(sorted(av.formats_available - _LEADING_AWAY))


def _address(location: Any) -> Any:
    """Return a URL as it is, and a path in full: FFmpeg takes what stands before a colon for a protocol."""
    is_path = isinstance(location, (Path, str)) and not _is_address(location)
    return str(Path(location).absolute()) if is_path else location


def _is_address(location: Any) -> bool:
    return isinstance(location, str) and "://" in location
