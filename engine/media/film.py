"""Which of a container's video streams is the film."""

from __future__ import annotations

import av

from ptfan.engine.media.cover import is_cover, is_picture

__all__ = ["films_of"]


def films_of(container: av.container.InputContainer) -> list[av.VideoStream]:
    """Return a container's streams of moving pictures, without covers, the likeliest film first.

    That is one which is more than a single picture, as a thumbnail is, and marked as default; else the first.
    """
    films = [stream for stream in container.streams.video if not is_cover(stream)]
    return sorted(films, key=_likeliness, reverse=True)


def _likeliness(stream: av.VideoStream) -> tuple[bool, bool]:
    return not is_picture(stream), bool(stream.disposition & av.stream.Disposition.default)
