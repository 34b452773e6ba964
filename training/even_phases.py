"""Evening out the pixels that the light decoder's head makes at once.

The head makes the four pixels of a block of 2 x 2 from one place of its features, with weights and biases of their own.
What little these are off on average shows as fine lines where a hole is smooth. Run it when training is over:

    python -m ptfan.training.even_phases CHECKPOINT OUTPUT --data DIR [--clips LIST] [--config s-2]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.checkpoint import load_checkpoint, save_checkpoint
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.clip_list import clip_list
from ptfan.training.data.datasets import open_dataset
from ptfan.training.data.samples import ClipDataset
from ptfan.training.generator.config import TrainConfig
from ptfan.training.model import Generator
from ptfan.training.runs.batch import Batch

__all__ = ["even_phases", "main", "phase_errors"]

SAMPLES = 96
SEED = 1_000_003
"""Of samples that no run has seen."""


@torch.no_grad()
def phase_errors(generator: Generator, samples: Iterable[Mapping[str, Tensor]]) -> Tensor:
    """Return the mean error of the network's own picture in holes, by colour and by place in a block of 2 x 2.

    Pixels count by how much of that picture is seen in the answer.

    Args:
        generator: a generator with a light decoder, in evaluation mode.
        samples: of `ClipDataset`, one clip each.

    Returns:
        (3, 2, 2): red, green and blue, row, column.
    """
    errors, weights = torch.zeros(3, 2, 2), torch.zeros(1, 2, 2)
    for number, sample in enumerate(samples):
        batch = Batch.stack({name: value[None] for name, value in sample.items()}, number, torch.device("cpu"))
        parts = generator.forward_parts(*(batch.inputs[name] for name in CLIP_INPUTS), clips=1)
        assert parts.blend_logit is not None
        weight = batch.hole * (1 - parts.blend_logit.sigmoid())
        errors += _by_place((parts.own - batch.target) * weight)
        weights += _by_place(weight)
    return errors / weights.clamp(min=1e-6)


def even_phases(generator: Generator, errors: Tensor) -> None:
    """Shift the head's biases so that the four places of a block are off by the same, which is left as it is.

    Args:
        generator: a generator with a light decoder; it is changed.
        errors: (3, 2, 2), of `phase_errors`.
    """
    uneven = errors - errors.mean(dim=(1, 2), keepdim=True)
    bias = generator.decoder.head.bias
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        bias[: uneven.numel()] -= uneven.flatten()  # pixel_shuffle takes a colour's four places one after the other


def _by_place(values: Tensor) -> Tensor:
    """Sum (N, C, H, W) over frames and blocks: (C, 2, 2)."""
    frames, channels, height, width = values.shape
    return values.reshape(frames, channels, height // 2, 2, width // 2, 2).sum(dim=(0, 2, 4))


def main() -> None:
    """Read a checkpoint, even it out, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="clips, as for ptfan train")
    parser.add_argument("--clips", type=Path, help="names of the clips to use, one a line")
    parser.add_argument("--config", default="s-2", help="settings whose samples to take")
    options = parser.parse_args()
    checkpoint = load_checkpoint(options.checkpoint)
    generator, config = checkpoint.generator(), TrainConfig.read(options.config)
    with tempfile.TemporaryDirectory() as folder:
        clips = ClipCache.build(open_dataset(options.data, names=clip_list(options.clips)), Path(folder))
        fill = config.architecture().fill
        data = ClipDataset(clips, config.sample, fill=fill, seed=SEED, length=SAMPLES)
        errors = phase_errors(generator, (data[index] for index in range(SAMPLES)))
    even_phases(generator, errors)
    print("mean errors by place, in 255ths:", (255 * errors).tolist())
    save_checkpoint(options.output, generator, {**checkpoint.record, "evened": (255 * errors).tolist()}, overwrite=True)


if __name__ == "__main__":
    main()
