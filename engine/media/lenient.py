"""How files are opened whose titles and other metadata are in no encoding that can be told."""

from __future__ import annotations

from typing import Any

import av

__all__ = ["LENIENT"]

RELEASE = int(av.__version__.partition(".")[0])
LENIENT: dict[str, Any] = {} if RELEASE >= 19 else {"metadata_errors": "replace"}
"""Arguments of `av.open` by which such text does no harm; from release 19 on PyAV needs none."""
