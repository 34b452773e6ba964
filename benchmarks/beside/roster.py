"""All the peers, by name."""

from __future__ import annotations

from beside.e2fgvi import E2fgvi, E2fgviHq
from beside.fuseformer import FuseFormer
from beside.peer import Peer
from beside.propainter import ProPainter
from beside.sttn import Sttn, SubtitleRemover

__all__ = ["PEERS"]

PEERS: dict[str, type[Peer]] = {
    "sttn": Sttn,
    "subtitle-remover": SubtitleRemover,
    "fuseformer": FuseFormer,
    "e2fgvi": E2fgvi,
    "e2fgvi-hq": E2fgviHq,
    "propainter": ProPainter,
}
"""By the name of a run; a name before a hyphen may be of the same checkout."""
