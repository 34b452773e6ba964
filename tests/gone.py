"""Standard error whose terminal, or whoever read it, has gone."""

from __future__ import annotations

import errno
import io
import os


class Gone(io.StringIO):
    """Takes nothing any more."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
