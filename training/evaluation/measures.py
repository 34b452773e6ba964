"""What is measured on a result, chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ptfan.engine.errors import InputError
from ptfan.engine.models import file_sha256
from ptfan.training.data.pixels import Pixels
from ptfan.training.evaluation.figures import mean_figure
from ptfan.training.evaluation.metrics.psnr import psnr
from ptfan.training.evaluation.metrics.ssim import FIELD_WINDOW, hole_ssim, ssim
from ptfan.training.evaluation.metrics.warping import field_warping_error, warping_error
from ptfan.training.evaluation.task import Task

if TYPE_CHECKING:
    from ptfan.training.evaluation.metrics.i3d import I3D

__all__ = ["DEFAULT_METRICS", "METRICS", "WEIGHTS_OPTIONS", "Measures", "Weights", "choose_measures"]

Measure = Callable[[Task, Sequence[Pixels]], dict[str, float]]
METRICS = ("psnr", "ssim", "warp", "lpips", "st-lpips", "vfid")
"""What can be asked for; the last three need weights."""
DEFAULT_METRICS = ("psnr", "ssim", "warp")
WEIGHTS_OPTIONS = {"lpips": "--lpips", "st-lpips": "--st-lpips", "vfid": "--i3d"}
"""The others, and the options that name their weights."""


@dataclass(frozen=True)
class Weights:
    """Where the weights of the perceptual metrics are; those of others are None."""

    lpips: str | None = None
    """LPIPS's trunk: torchvision's `alexnet` or `vgg16`, a file or a name, see
    `ptfan.training.features.features`."""
    lpips_heads: Path | None = None
    """LPIPS's own weights of the channels: `lpips/weights/v0.1/alex.pth` or `vgg.pth` of the package lpips."""
    st_lpips: str | None = None
    """ST-LPIPS's file, or `alexnet-st` or `vgg16-st`."""
    i3d: Path | None = None
    """VFID's network: `i3d_rgb_imagenet.pt`."""
    every: int = 1
    """LPIPS and ST-LPIPS look at every so-many-th frame that has a hole: they are slow, and neighbours much alike."""

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"perceptual metrics of every {self.every}th frame, expected 1 or more")


@dataclass(frozen=True, eq=False)
class Measures:
    """The metrics of an evaluation."""

    names: tuple[str, ...]
    """What was asked for, of `METRICS`."""
    identity: str
    """Tells these metrics from those with other weights."""
    single: tuple[Measure, ...]
    """What gives figures for one result."""
    i3d: I3D | None = None
    """What gives the features of which VFID compares many; None leaves VFID out."""

    def __call__(self, task: Task, result: Sequence[Pixels]) -> dict[str, float]:
        """Measure a result; the figures' names are those of `ptfan.training.evaluation.columns`."""
        values: dict[str, float] = {}
        for measure in self.single:
            values |= measure(task, result)
        return values


def choose_measures(names: Sequence[str] | None, weights: Weights) -> Measures:
    """Load what the metrics need.

    Args:
        names: of `METRICS`; None takes `DEFAULT_METRICS` and those whose weights are given.
        weights: the files.

    Raises:
        InputError: a name is not known, or its weights are not given.
        InputNotFoundError: a weights file is not there.
        ModelError: it holds other weights.
    """
    given = {"lpips": weights.lpips, "st-lpips": weights.st_lpips, "vfid": weights.i3d}
    if names is None:
        names = [*DEFAULT_METRICS, *(name for name, path in given.items() if path is not None)]
    for name in names:
        if name not in METRICS:
            raise InputError(f"metric {name!r} is not known, expected some of {', '.join(METRICS)}")
        if name in given and given[name] is None:
            raise InputError(
                f"metric {name}: its weights are not given; name their file with {WEIGHTS_OPTIONS[name]}, "
                "or leave it out"
            )
    chosen = tuple(name for name in METRICS if name in names)
    return Measures(chosen, _identity(chosen, weights), tuple(_single(chosen, weights)), _i3d(chosen, weights))


def _single(names: Sequence[str], weights: Weights) -> list[Measure]:
    plain: dict[str, Measure] = {"psnr": _psnr, "ssim": _ssim, "warp": _warp}
    measures = [plain[name] for name in names if name in plain]
    if "lpips" in names and weights.lpips is not None:
        measures.append(_perceptual("lpips", weights.lpips, weights.lpips_heads, weights.every))
    if "st-lpips" in names and weights.st_lpips is not None:
        measures.append(_perceptual("st_lpips", weights.st_lpips, None, weights.every))
    return measures


def _psnr(task: Task, result: Sequence[Pixels]) -> dict[str, float]:
    hole = [psnr(result[t], task.truth[t], task.holes[t]) for t in task.counted]
    return {"psnr_hole": mean_figure(hole), "psnr": mean_figure([psnr(result[t], task.truth[t]) for t in task.counted])}


def _ssim(task: Task, result: Sequence[Pixels]) -> dict[str, float]:
    values = {"ssim_hole": mean_figure([hole_ssim(result[t], task.truth[t], task.holes[t]) for t in task.counted])}
    if min(task.truth[0].shape[:2]) >= FIELD_WINDOW:
        values["ssim"] = mean_figure([ssim(result[t], task.truth[t], FIELD_WINDOW) for t in task.counted])
    return values


def _warp(task: Task, result: Sequence[Pixels]) -> dict[str, float]:
    flows = task.footage.flows
    whole = field_warping_error(result, flows, task.footage.occlusions)
    return {"warp_hole": warping_error(result, task.holes, flows), "warp": whole}


def _perceptual(name: str, trunk: str, heads: Path | None, every: int) -> Measure:
    from ptfan.training.evaluation.metrics.lpips import PerceptualDistance

    distance = PerceptualDistance(trunk, heads)
    expected = {"lpips": "LPIPS", "st_lpips": "ST-LPIPS"}[name]
    if distance.name != expected:
        raise InputError(f"metric {expected}: {trunk} holds the network of {distance.name}; ask for that by its name")

    def measure(task: Task, result: Sequence[Pixels]) -> dict[str, float]:
        counted = [(result[t], task.truth[t], task.holes[t]) for t in task.counted[::every]]
        whole, inside = distance(counted)
        return {f"{name}_hole": mean_figure(inside), name: mean_figure(whole)}

    return measure


def _i3d(names: Sequence[str], weights: Weights) -> I3D | None:
    if "vfid" not in names or weights.i3d is None:
        return None
    from ptfan.training.evaluation.metrics.i3d import load_i3d

    return load_i3d(weights.i3d)


def _identity(names: Sequence[str], weights: Weights) -> str:
    used: list[str | Path | None] = []
    used += [weights.lpips, weights.lpips_heads] if "lpips" in names else []
    used += [weights.st_lpips] if "st-lpips" in names else []
    used += [weights.i3d] if "vfid" in names else []
    digests = [_digest(path) for path in used if path is not None]
    return " ".join([*names, *digests, str(weights.every) if digests else ""])


def _digest(source: str | Path) -> str:
    from ptfan.training.features import weights_file

    return file_sha256(weights_file(source))
