"""One run of a peer: `python -m beside.peer_run JSON`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from beside.clip import Clip
from beside.flop import count_flop
from beside.process import answer, timed
from beside.roster import PEERS
from beside.stand_ins import installed_torchvision

__all__ = ["peer_run"]

WARM_UP = 2
"""Frames that are filled before those that count."""


def peer_run(name: str, folder: str, video: str, mask: str, count: bool = False) -> dict[str, Any]:
    """Fill a clip; reading it, building the networks and writing the result are not timed.

    Args:
        name: the peer's.
        folder: its checkout.
        video: the clip.
        mask: its hole.
        count: count what is computed and how large the networks are, without computing.

    Returns:
        What it took, or what was counted.
    """
    # Torch does not count what torchvision convolves.
    peer = PEERS[name](Path(folder), with_torchvision=not count)
    images, hole = Clip(Path(video), Path(mask)).read(peer.size)
    if count:
        flop = count_flop(lambda: peer.inpaint(images, hole)) / len(images)
        return {"flop": flop, "parameters": peer.parameters, "deformable": _deformable()}
    torch.set_flush_denormal(True)  # random weights make such numbers, and processors are slow with them
    peer.inpaint(images[:WARM_UP], hole)
    return timed(lambda: peer.inpaint(images, hole), len(images))


def _deformable() -> str:
    torchvision = installed_torchvision()
    return f"torchvision {torchvision.__version__}" if torchvision else "written in torch"


if __name__ == "__main__":
    raise SystemExit(answer(peer_run))
