"""Somebody else's network for the same task, run as its own test script runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from beside.checkout import Checkout, quiet
from beside.stand_ins import installed_torchvision, stand_in_torchvision
from ptfan.engine.frame import Image, Mask

__all__ = ["NEAR", "Peer", "Windows", "windows"]

NEAR = 5
"""Frames before and after the middle of a window, and between two windows: all of them have it so."""
FAR = 10
"""Frames between two that a window sees from elsewhere in the video: all of them have it so."""

Windows = Iterator[tuple[list[int], list[int]]]


def windows(length: int) -> Windows:
    """Return the frames that a window fills, and those that it is shown besides, of every window of a clip."""
    for middle in range(0, length, NEAR):
        near = list(range(max(0, middle - NEAR), min(length, middle + NEAR + 1)))
        yield near, [index for index in range(0, length, FAR) if index not in near]


@dataclass(frozen=True)
class Peer(Checkout, ABC):
    """Published code that fills holes in a video, and its networks, of random weights."""

    with_torchvision: bool = True
    """Convolve with deformed kernels as torchvision does, if it can be used here."""

    label: ClassVar[str]
    """What tables call it."""
    parts: ClassVar[str]
    """What is computed for a frame."""
    size: ClassVar[tuple[int, int]] = (432, 240)
    """(width, height) of the frames, pixels, as its test makes them."""

    @cached_property
    def networks(self) -> list[Any]:
        """Its networks, built when they are first asked for.

        Raises:
            InputError: its modules cannot be imported.
        """
        found = installed_torchvision() if self.with_torchvision else None
        stand_ins = {} if found else stand_in_torchvision()
        ops = found.ops if found else stand_ins["torchvision.ops"]
        with self.building(stand_ins | self.more_stand_ins(ops)):
            return [network.eval() for network in self.build()]

    @property
    def parameters(self) -> int:
        """How many numbers the networks hold."""
        return sum(parameter.numel() for network in self.networks for parameter in network.parameters())

    def more_stand_ins(self, ops: ModuleType) -> dict[str, ModuleType]:
        """Return modules in place of other libraries than torchvision, by name; `ops` is torchvision's."""
        return {}

    @abstractmethod
    def build(self) -> list[Any]:
        """Return the networks, untrained."""

    @abstractmethod
    def fill(self, frames: Tensor, holes: Tensor) -> Iterator[tuple[list[int], Tensor]]:
        """Fill a clip window by window.

        Args:
            frames: (1, T, 3, H, W) in [-1, 1].
            holes: (1, T, 1, H, W), 1 in the hole.

        Yields:
            The indices of N frames, and what they are filled with, (N, 3, H, W) in [-1, 1].
        """

    def inpaint(self, images: Sequence[Image], hole: Mask) -> list[NDArray[np.float32]]:
        """Return the filled frames, (H, W, 3); where windows overlap, a later one counts half, as all have it.

        Args:
            images: (H, W, 3) uint8 each, of its `size`.
            hole: (H, W), the same for all.
        """
        frames = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)[None].float() / 255 * 2 - 1
        holes = torch.from_numpy(hole)[None, None, None].expand(1, len(images), -1, -1, -1).float()
        done: dict[int, NDArray[np.float32]] = {}
        with torch.no_grad(), quiet():
            for near, pictures in self.fill(frames, holes):
                values = ((pictures + 1) / 2).permute(0, 2, 3, 1).numpy() * 255
                for index, value in zip(near, values, strict=True):
                    picture = np.where(hole[..., None], value.astype(np.uint8), images[index]).astype(np.float32)
                    done[index] = 0.5 * (done[index] + picture) if index in done else picture
        return [done[index] for index in range(len(images))]
