"""The protocols of the field: which clips, at which size, with which holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training.data.clips import Clip, MaskFiles
from ptfan.training.data.datasets import ClipSet, Layout, open_dataset
from ptfan.training.data.sample_config import MaskConfig
from ptfan.training.evaluation.holes import (
    HoleSource,
    Shape,
    box_holes,
    caption_holes,
    other_objects,
    seeded_holes,
    stored_holes,
    text_holes,
)
from ptfan.training.evaluation.task import Footage

__all__ = ["DAVIS_TEST", "HOLE_KINDS", "PROTOCOLS", "Benchmark", "MaskFolder", "Protocol", "open_benchmark"]

SIZE = (432, 240)
"""(width, height) at which the field evaluates, pixels."""
HOLE_KINDS = ("box", "text", "caption", "object", "free-form")
"""The holes that the protocol `folder` has."""
FOLDER_KINDS = ("box", "text", "object")
"""Those that it takes where none are named."""
FOLDER_OFFSET = 3
"""How many clips on the object comes from in the protocol `folder`."""
FOLDER_FRAMES = 40
"""The most frames of a clip in the protocol `folder`."""
STILL = MaskConfig(strokes=0, blobs=1, boxes=0, text=0, areas=((0.05, 0.25),), still=1.0)
FREE_FORM = MaskConfig(strokes=1, blobs=0, boxes=0, text=0, areas=((0.05, 0.25),), still=0.5)

NAMES = """
bear blackswan bmx-bumps bmx-trees boat breakdance breakdance-flare bus camel car-roundabout car-shadow car-turn
cows dance-jump dance-twirl dog dog-agility drift-chicane drift-straight drift-turn elephant flamingo goat hike
hockey horsejump-high horsejump-low kite-surf kite-walk libby lucia mallard-fly mallard-water motocross-bumps
motocross-jump motorbike paragliding paragliding-launch parkour rhino rollerblade scooter-black scooter-gray
soapbox soccerball stroller surf swing tennis train
"""
DAVIS_TEST = tuple(NAMES.split())
"""The 50 clips of DAVIS that FuseFormer, E2FGVI and ProPainter test on: those of DAVIS 2016."""


@dataclass(frozen=True)
class MaskFolder:
    """A folder of evaluation masks that somebody has published."""

    path: str
    """Inside the dataset (or its split), a folder for each clip; `{ratio}` stands for the hole's share."""
    hole_is_black: bool
    """True where 0 is the hole."""
    crosses: int = 0
    """How often the mask is grown by a 3x3 cross."""


@dataclass(frozen=True)
class Protocol:
    """One protocol of the field."""

    layout: Layout
    """How the dataset lies on disk."""
    kind: str
    """What reports call the holes."""
    folders: tuple[MaskFolder, ...]
    """Where the masks may be; the first folder that is there is taken."""
    generated: MaskConfig | None
    """The holes to draw where no folder is there; None takes objects of other clips of the dataset."""
    split: str | None = None
    """The part of the dataset."""
    clips: tuple[str, ...] = ()
    """The clips' names; all if empty."""
    frames: int | None = None
    """The most frames of a clip; None takes all."""


PROTOCOLS: dict[str, Protocol] = {
    "davis-stationary": Protocol(
        "davis",
        "stationary",
        (MaskFolder("test_masks", False, crosses=4), MaskFolder("random_masks/stationary", True)),
        STILL,
        clips=DAVIS_TEST,
    ),
    "davis-object": Protocol("davis", "object", (MaskFolder("random_masks/object", True),), None, clips=DAVIS_TEST),
    "fvi-curve": Protocol(
        "fvi",
        "curve",
        (MaskFolder("random_masks/rand_curve/{ratio}", True),),
        MaskConfig(strokes=1, blobs=0, boxes=0, text=0, still=0.0),
        split="Test",
        frames=15,
    ),
    "fvi-object": Protocol(
        "fvi",
        "object",
        (MaskFolder("random_masks/object_like_middle/{ratio}", True),),
        MaskConfig(strokes=0, blobs=1, boxes=0, text=0, still=0.0),
        split="Test",
        frames=15,
    ),
    "fvi-stationary": Protocol(
        "fvi", "stationary", (MaskFolder("stationary_mask", True),), STILL, split="Test", frames=15
    ),
}
"""The protocols by name, beside `folder`."""


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A protocol on a dataset that is there. Nothing is decoded before it is asked for."""

    clips: tuple[Clip, ...]
    """The clips."""
    sources: Mapping[str, HoleSource]
    """Where the holes come from, by their kind."""
    size: tuple[int, int] | None
    """(width, height) of the evaluation in pixels; None takes the clips' own."""
    frames: int | None
    """The most frames of a clip; None takes all."""
    identity: str
    """Tells it from others with the same clips."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures has to know."""

    def shape(self, clip: Clip) -> Shape:
        """Return the shape of a clip as it is evaluated."""
        width, height = self.size or clip.size
        return Shape(min(clip.frames, self.frames or clip.frames), width, height)

    def read(self, clip: Clip) -> Footage:
        """Read a clip at the size of the evaluation; it is resized by area."""
        shape = self.shape(clip)
        frames = clip.read(0, shape.frames)
        if frames.shape[1:3] != (shape.height, shape.width):
            size = (shape.width, shape.height)
            resized = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
            return Footage(clip.name, tuple(np.asarray(frame, np.uint8) for frame in resized))
        return Footage(clip.name, tuple(frames))


def open_benchmark(
    data: Path, protocol: str, *, kinds: Sequence[str] | None, frames: int | None, seed: int, ratio: int
) -> Benchmark:
    """Open a dataset for a protocol.

    Args:
        data: the dataset's folder.
        protocol: of `PROTOCOLS`, or `folder`.
        kinds: which of `HOLE_KINDS` to cut, for `folder` alone; None takes `FOLDER_KINDS`, or the protocol's own.
        frames: the most frames of a clip; None takes the protocol's.
        seed: of the holes that are generated.
        ratio: the holes' mean share of the frame in percent, +-5: FVI's folders 5, 15, ... 65.

    Raises:
        InputNotFoundError: the dataset, or a part of it, is not there.
        InputError: an argument is not known, or the dataset cannot be used.
    """
    if protocol == "folder":
        return _folder(data, kinds or FOLDER_KINDS, frames, seed)
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r} is not known, expected one of folder, {', '.join(PROTOCOLS)}")
    if kinds:
        raise InputError(f"protocol {protocol}: brings its own holes; leave out the kinds {', '.join(kinds)}")
    if ratio not in range(5, 70, 10):
        raise InputError(f"ratio is {ratio}, expected 5, 15, 25 ... or 65 percent")
    return _field(data, protocol, frames, seed, ratio)


def _folder(data: Path, kinds: Sequence[str], frames: int | None, seed: int) -> Benchmark:
    clips = open_dataset(data).clips
    for kind in kinds:
        if kind not in HOLE_KINDS:
            raise InputError(f"holes of kind {kind!r}, expected some of {', '.join(HOLE_KINDS)}")
    if "object" in kinds and not any(clip.has_masks for clip in clips):
        raise InputError(f"evaluation: no folder NAME_mask of objects in {data}; leave out the object holes")
    sources: dict[str, HoleSource] = {
        "box": box_holes,
        "text": text_holes,
        "caption": caption_holes,
        "free-form": seeded_holes("free-form", FREE_FORM, seed),
    }
    if "object" in kinds:
        sources["object"] = other_objects(clips, FOLDER_OFFSET)
    chosen = {kind: sources[kind] for kind in kinds}
    return Benchmark(clips, chosen, None, frames or FOLDER_FRAMES, f"folder {seed} {data.resolve()}")


def _field(data: Path, name: str, frames: int | None, seed: int, ratio: int) -> Benchmark:
    protocol = PROTOCOLS[name]
    opened = _chosen(open_dataset(data, protocol.layout, split=protocol.split), protocol)
    found = _masks(data, protocol, opened, ratio)
    notes = []
    if protocol.clips and len(opened.clips) < len(protocol.clips):
        notes.append(f"{len(opened.clips)} of the protocol's {len(protocol.clips)} clips are in the dataset.")
    if found is None:
        source = _generated(name, protocol, opened.clips, seed, ratio)
        notes.append(
            f"The dataset has none of the masks {', '.join(folder.path for folder in protocol.folders)}: the holes are "
            f"made with seed {seed}, and the figures can be compared with each other only."
        )
    else:
        source = found
    identity = f"{name} {seed} {ratio} {data.resolve()} {'generated' if found is None else 'stored'}"
    most = frames or protocol.frames
    return Benchmark(opened.clips, {protocol.kind: source}, SIZE, most, identity, tuple(notes))


def _chosen(opened: ClipSet, protocol: Protocol) -> ClipSet:
    if not protocol.clips:
        return opened
    there = [name for name in opened.names() if name in protocol.clips]
    if not there:
        raise InputNotFoundError(f"dataset {opened.root}: has none of the protocol's clips ({protocol.clips[0]} ...)")
    return opened.only(there)


def _masks(data: Path, protocol: Protocol, opened: ClipSet, ratio: int) -> HoleSource | None:
    """Return the published masks' source, None if the dataset has none of the folders."""
    for folder in protocol.folders:
        path = folder.path.format(ratio=ratio)
        if not (data / (protocol.split or "") / path).is_dir():
            continue
        # The field's masks are those of the protocol's clips alone.
        clips = open_dataset(data, protocol.layout, split=protocol.split, masks=path, names=opened.names()).clips
        files = [MaskFiles(clip.masks.files, folder.hole_is_black) for clip in clips if clip.masks is not None]
        return stored_holes(files, folder.crosses)
    return None


def _generated(name: str, protocol: Protocol, clips: Sequence[Clip], seed: int, ratio: int) -> HoleSource:
    if protocol.generated is None:
        if not any(clip.has_masks for clip in clips):
            raise InputNotFoundError(
                f"protocol {name}: the dataset has no object masks (Annotations) to cut holes with"
            )
        # Any other clip will do, but never the clip itself, whose object hides what is behind it.
        offset = int(np.random.default_rng(seed).integers(1, max(2, len(clips))))
        return other_objects(clips, offset)
    if protocol.generated is STILL:
        return seeded_holes(name, STILL, seed)
    config = MaskConfig(**{**vars(protocol.generated), "areas": (((max(ratio - 5, 1)) / 100, (ratio + 5) / 100),)})
    return seeded_holes(name, config, seed)
