"""Telling of an alpha channel that an output drops."""

from __future__ import annotations

import av

from ptfan.engine.media.pixel_layout import has_alpha
from ptfan.engine.notices import Warn

__all__ = ["AlphaLoss"]

_OPAQUE = 255


class AlphaLoss:
    """Tells of it once there is a pixel that is not opaque: each GIF has the channel, and most do not use it."""

    def __init__(self, words: str, tell: Warn) -> None:
        """Begin before the first picture.

        Args:
            words: What to say; nothing where no alpha is lost.
            tell: Takes it.
        """
        self._words, self._tell = words, tell

    def look(self, picture: av.VideoFrame) -> None:
        """Look at the next picture as the decoder gave it."""
        if self._words and _is_see_through(picture):
            self._tell(self._words)
            self._words = ""


def _is_see_through(picture: av.VideoFrame) -> bool:
    """Tell whether a picture has a pixel that is not opaque."""
    if not has_alpha(picture.format.name):
        return False
    return bool(picture.to_ndarray(format="rgba")[..., 3].min() < _OPAQUE)
