"""A whole comparison: the clip is prepared once, and both models fill the same holes."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.checks import check_whole
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.difference import Tally
from ptfan.engine.errors import InputError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import InpaintSettings, clips_settings, window_and_stride
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import open_source
from ptfan.engine.models import find_model
from ptfan.engine.notices import Warn, log_warning
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.preparer import Preparer, Window
from ptfan.engine.progress import NoProgress, Progress, running
from ptfan.engine.runners.backends import Backend
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.spec import LEAST_PSNR, ModelSpec
from ptfan.engine.verify.contest import Contestant, answers, find_reference, joint_spec
from ptfan.engine.verify.verification import Verification
from ptfan.engine.verify.worst_frame import WorstFrame
from ptfan.engine.versions import versions

__all__ = ["VerifySettings", "verify"]


@dataclass(frozen=True, kw_only=True)
class VerifySettings:
    """What two models are compared on, and what is asked of them."""

    clip: str | Path = DEMO_CLIP
    """Anything that ptfan reads."""
    mask: str | Path = DEMO_MASK
    """Its hole."""
    frames: int | None = None
    """Stop after so many; None takes all."""
    inpaint: InpaintSettings = field(default_factory=InpaintSettings)
    """How both are fed; its backend runs the model. The stride has no meaning here."""
    against_backend: Backend = "auto"
    """What runs the reference."""
    least_psnr: float = LEAST_PSNR
    """dB in the holes that are asked for; infinite where answers are to be equal."""

    def __post_init__(self) -> None:
        check_whole(self, "frames", least=1)
        if math.isnan(self.least_psnr):
            raise InputError("least PSNR is nan, expected a number of dB")


def verify(
    model: str | Path,
    against: str | Path | None = None,
    settings: VerifySettings | None = None,
    *,
    progress: Progress | None = None,
    warn: Warn = log_warning,
) -> Verification:
    """Fill the holes of a clip with two models, and compare their answers before these are rounded.

    Flow and everything else that happens before the network is computed once, for both. Memory is bounded by the
    window.

    Args:
        model: name of a model that comes with the package, or a path.
        against: the reference, likewise, or a checkpoint; the package's own model of the same name and weights by
            default.
        settings: on what, and how near they must be; the demo's clip and 45 dB by default.
        progress: is told of every frame.
        warn: takes a line about what was changed or seems wrong; the log without it.

    Raises:
        InputError: model, clip, mask or an option cannot be used, the models cannot be compared, or there is no hole.
    """
    settings = settings or VerifySettings()
    with ExitStack() as opened:
        ours = _load(opened, find_model(model), settings.inpaint.backend, settings.inpaint)
        reference = find_reference(ours.runner.spec, against)
        theirs = _load(opened, reference, settings.against_backend, settings.inpaint)
        spec = joint_spec(ours, theirs, warn)
        windows = opened.enter_context(closing(_windows(spec, settings, progress or NoProgress(), warn)))
        theirs.watch()
        count = _Count()
        for pair in answers(ours, theirs, windows):
            count.add(*pair)
    if count.worst is None:
        raise InputError(f"mask {settings.mask}: has no hole in {count.frames} frames; give another mask")
    return Verification(
        title=f"{ours} against {theirs}",
        model=ours.describe(),
        reference=theirs.describe(),
        clip=str(settings.clip),
        mask=str(settings.mask),
        window=window_and_stride(spec, settings.inpaint)[0],
        frames=count.frames,
        inpainted=count.inpainted,
        whole=count.whole.difference,
        hole=count.hole.difference,
        worst=count.worst,
        largest_activation=theirs.largest_activation,
        least_psnr=settings.least_psnr,
        versions=versions(),
    )


def _load(opened: ExitStack, path: Path, backend: Backend, settings: InpaintSettings) -> Contestant:
    runner = open_runner(path, backend=backend, threads=settings.threads, gpu=settings.gpu)
    return Contestant(opened.enter_context(runner))


def _windows(
    spec: ModelSpec, settings: VerifySettings, progress: Progress, warn: Warn
) -> Generator[Window, None, None]:
    """Prepare the clip in windows that do not overlap."""
    with ExitStack() as opened:
        asked = settings.inpaint
        completions = opened.enter_context(Completions.open(asked.flow_completion, asked.colour_completion, spec.fill))
        preparer = Preparer(clips_settings(spec, asked), completions)
        source = opened.enter_context(open_source(settings.clip, warn=warn))
        masks = opened.enter_context(open_mask(settings.mask, info=source.info, warn=warn))
        total = min(filter(None, (source.info.frames, settings.frames)), default=None)
        masks.check_length(total, whole=settings.frames is None)
        opened.enter_context(running(progress, Path(source.info.name).name, total))
        for sample in islice(source, settings.frames):
            yield from preparer.push(Frame(sample.image, masks.hole_of(sample)))
            progress.advance()
        yield from preparer.flush()


class _Count:
    """The errors of all frames, and the worst of these."""

    def __init__(self) -> None:
        self.frames = self.inpainted = 0
        self.whole, self.hole = Tally(), Tally()
        self.worst: WorstFrame | None = None

    def add(self, answer: Frame, reference: Frame) -> None:
        """Count one frame's two answers in."""
        index, hole = self.frames, answer.hole
        got, expected = _filled(answer), _filled(reference)
        self.frames += 1
        self.whole.add(index, expected, got)
        if hole.any():
            self.inpainted += 1
            square = self.hole.add(index, expected, got, hole)
            # Written so that an answer which is not a number is the worst.
            if self.worst is None or not square <= self.worst.square:
                self.worst = WorstFrame(index, square, hole, got, expected)


def _filled(frame: Frame) -> NDArray[np.float32]:
    """Return the picture with its hole filled, in [0, 1] but for what the network gives beyond: nothing is rounded."""
    peak = np.iinfo(frame.image.dtype).max
    pixels: NDArray[np.float32] = frame.image.astype(np.float32) / np.float32(peak)
    for patch in frame.patches:
        np.copyto(pixels[patch.box.slices], patch.pixels, where=frame.hole[patch.box.slices][..., None])
    return pixels
