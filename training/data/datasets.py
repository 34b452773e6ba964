"""Datasets by their layout on disk: folders of videos, DAVIS, YouTube-VOS and FVI.

`open_dataset` tells the layout from the folder, or takes the one it is told, and checks that what the layout needs is
there. Nothing is decoded before it is asked for:

    dataset = open_dataset(Path("DAVIS"), split="val")
    for clip in dataset.clips:
        frames = clip.read(0, 40)                      # (40, H, W, 3) uint8 RGB
        holes = clip.read_masks(0, 40) > 0             # (40, H, W), if clip.has_masks
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.natural_order import files_in
from ptfan.training.data.clips import Clip, ImageFrames, MaskFiles, VideoFrames
from ptfan.training.data.flow.files import FlowFiles

__all__ = ["VIDEO_SUFFIXES", "ClipSet", "Layout", "open_dataset"]

Layout = Literal["videos", "davis", "youtube-vos", "fvi"]
"""The layouts; docs/training-data.md draws them."""
VIDEO_SUFFIXES = {".mp4", ".mkv", ".webm", ".mov", ".avi"}
"""How the names of videos end, in lower case."""
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}
RESOLUTIONS = ("480p", "Full-Resolution")
"""DAVIS's folders of one resolution; the first that is there is taken."""
SPLITS = {"youtube-vos": ("train", "valid", "test"), "fvi": ("Train", "Test")}
"""Folders that a frame-folder dataset may be divided into; the first that is there is the default."""
FLOW_FOLDERS = ("Flows_flo", "flow")
FVI_MASKS = ("object_masks", "random_masks")


@dataclass(frozen=True)
class ClipSet:
    """A dataset that has been opened: its clips in the order of their names."""

    root: Path
    """The folder that was opened."""
    layout: Layout
    """How the folder is laid out."""
    clips: tuple[Clip, ...]
    """The clips; never empty."""

    def names(self) -> list[str]:
        """Return the clips' names."""
        return [clip.name for clip in self.clips]

    def only(self, names: Collection[str]) -> ClipSet:
        """Return the named clips alone.

        Raises:
            InputNotFoundError: a named clip is not there.
            InputError: no name is given.
        """
        missing = sorted(set(names) - set(self.names()))
        if missing:
            raise InputNotFoundError(f"dataset {self.root}: lacks {len(missing)} named clips, first {missing[0]}")
        if not names:
            raise InputError(f"dataset {self.root}: the list of clips is empty; name a clip or leave the list out")
        return replace(self, clips=tuple(clip for clip in self.clips if clip.name in names))


def open_dataset(
    root: Path,
    layout: Layout | None = None,
    *,
    split: str | None = None,
    masks: str | None = None,
    names: Collection[str] | None = None,
    longest: int | None = None,
) -> ClipSet:
    """Open a dataset.

    Args:
        root: the dataset's folder.
        layout: how it is laid out; told from what the folder holds without it.
        split: which part to take: a list of `ImageSets/2017` for DAVIS (`train`, `val` ...), a folder for YouTube-VOS
            (`train`, `valid`, `test`) and FVI (`Train`, `Test`). Without it, all clips or the first folder there is.
        masks: folder of masks inside the dataset (or its split): `test_masks` or `random_masks/rand_curve/35`, for
            instance. Every clip must have them then: by its name, else by its place in the order of names, as FVI's
            are matched. Without it the layout's own, for those clips that have them.
        names: the clips to take, see `clip_list`; all without it.
        longest: read larger frames scaled down until their longer side has so many pixels.

    Raises:
        InputNotFoundError: the folder, something that the layout needs, or a named clip is not there.
        InputError: the layout is not known, the dataset holds no clip, or no name is given.
    """
    if not root.is_dir():
        raise InputNotFoundError(f"dataset {root}: is not a folder; expected one that holds videos or JPEGImages")
    layout = layout or _detect(root)
    if layout not in get_args(Layout):
        raise InputError(f"dataset {root}: layout {layout!r}, expected one of {', '.join(get_args(Layout))}")
    if layout == "videos":
        clips = _videos(root, split, masks)
    elif layout == "davis":
        clips = _davis(root, split, masks, names)
    else:
        clips = _frame_folders(root, layout, split, masks)
    opened = ClipSet(root, layout, tuple(replace(clip, longest=longest) for clip in clips))
    return opened if names is None else opened.only(names)


def _detect(root: Path) -> Layout:
    """Tell the layout from the folders and files there are."""
    if any((root / "JPEGImages" / name).is_dir() for name in RESOLUTIONS):
        return "davis"
    parts = [root, *(root / name for name in (*SPLITS["youtube-vos"], *SPLITS["fvi"]))]
    with_frames = [part for part in parts if (part / "JPEGImages").is_dir()]
    if any((part / name).is_dir() for part in with_frames for name in FVI_MASKS):
        return "fvi"
    if any(part.name in SPLITS["fvi"] for part in with_frames if part != root):
        return "fvi"
    if with_frames:
        return "youtube-vos"
    if files_in(root, _is_video):
        return "videos"
    raise InputError(
        f"dataset {root}: no video ({', '.join(sorted(VIDEO_SUFFIXES))}) and no folder JPEGImages in it; "
        "expected a folder of videos, DAVIS, YouTube-VOS or FVI"
    )


def _videos(root: Path, split: str | None, masks: str | None) -> list[Clip]:
    """Videos, and for some of them a folder NAME_mask of PNG masks beside."""
    if split is not None or masks is not None:
        raise InputError(f"dataset {root}: a folder of videos has no splits, and its masks lie in NAME_mask beside")
    videos = sorted(files_in(root, _is_video))  # as text: what a seed draws goes by their order
    if not videos:
        raise InputError(f"dataset {root}: no video ({', '.join(sorted(VIDEO_SUFFIXES))}) in it")
    names = [video.stem for video in videos]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"dataset {root}: two videos are called {twice}; rename one")
    return [Clip(video.stem, VideoFrames(video), _masks_in(root / f"{video.stem}_mask")) for video in videos]


def _davis(root: Path, split: str | None, masks: str | None, wanted: Collection[str] | None) -> list[Clip]:
    """JPEGImages/480p/NAME, Annotations/480p/NAME and lists of names in ImageSets/2017; of others nothing is asked."""
    frames = next((path for name in RESOLUTIONS if (path := root / "JPEGImages" / name).is_dir()), None)
    if frames is None:
        raise InputNotFoundError(f"dataset {root}: DAVIS lacks JPEGImages/{' or JPEGImages/'.join(RESOLUTIONS)}")
    names = _folders(frames)
    if split is not None:
        listed = root / "ImageSets" / "2017" / f"{split}.txt"
        if not listed.is_file():
            raise InputNotFoundError(f"dataset {root}: DAVIS lacks ImageSets/2017/{split}.txt, the list of the split")
        names = listed.read_text(encoding="utf-8").split()
    if wanted is not None and not set(wanted).isdisjoint(names):
        names = [name for name in names if name in wanted]
    folder = root / masks if masks else root / "Annotations" / frames.name
    return _clips(root, frames, names, folder, required=masks is not None)


def _frame_folders(root: Path, layout: Layout, split: str | None, masks: str | None) -> list[Clip]:
    """JPEGImages/NAME, a folder of masks with a folder NAME for a clip, and perhaps one of flow."""
    part = _part(root, layout, split)
    frames = part / "JPEGImages"
    black = layout == "fvi" and (masks is None or masks.split("/")[0] in FVI_MASKS)
    folder = part / (masks or ("object_masks" if layout == "fvi" else "Annotations"))
    return _clips(root, frames, _folders(frames), folder, required=masks is not None, hole_is_black=black)


def _part(root: Path, layout: Layout, split: str | None) -> Path:
    """Return the folder that holds JPEGImages."""
    if split is None and (root / "JPEGImages").is_dir():
        return root
    parts = [root / name for name in ([split] if split else SPLITS[layout])]
    part = next((part for part in parts if (part / "JPEGImages").is_dir()), None)
    if part is None:
        wanted = [f"{part.name}/JPEGImages" for part in parts] + ([] if split else ["JPEGImages"])
        raise InputNotFoundError(f"dataset {root}: {layout} lacks {' or '.join(wanted)}, the folders of frames")
    return part


def _clips(
    root: Path, frames: Path, names: Sequence[str], masks: Path, *, required: bool, hole_is_black: bool = False
) -> list[Clip]:
    """Put the clips together from folders of frames, of masks and of flow."""
    if not names:
        raise InputError(f"dataset {root}: no clip in {frames.relative_to(root)}; expected a folder for each")
    if required and not masks.is_dir():
        raise InputNotFoundError(f"dataset {root}: lacks {masks.relative_to(root)}, the masks that were asked for")
    found = _match(names, masks)
    flows = next((path for name in FLOW_FOLDERS if (path := frames.parent / name).is_dir()), None)
    clips = []
    for name in names:
        source = ImageFrames(_images(frames / name))
        if not source.files:
            raise InputNotFoundError(
                f"dataset {root}: lacks {(frames / name).relative_to(root)}/*.jpg, a clip's frames"
            )
        holes = _masks_in(found[name], hole_is_black=hole_is_black)
        if required and holes is None:
            wanted = found[name].relative_to(root)
            raise InputNotFoundError(f"dataset {root}: lacks {wanted}/*.png, the masks of clip {name}")
        clips.append(Clip(name, source, holes, _flow_in(root, flows / name, len(source.files)) if flows else None))
    return clips


def _match(names: Sequence[str], masks: Path) -> dict[str, Path]:
    """Return each clip's folder of masks: by name if any name agrees, else by place."""
    there = _folders(masks)
    if not there or set(there) & set(names):
        return {name: masks / name for name in names}
    return {name: masks / (there[place] if place < len(there) else name) for place, name in enumerate(names)}


def _masks_in(folder: Path, *, hole_is_black: bool = False) -> MaskFiles | None:
    files = _images(folder)
    return MaskFiles(files, hole_is_black) if files else None


def _flow_in(root: Path, folder: Path, frames: int) -> FlowFiles | None:
    """Return a clip's ready-made flow; half of it is an error, none is not."""
    forward = _files(folder, lambda path: path.name.endswith("_f.flo"))
    backward = _files(folder, lambda path: path.name.endswith("_b.flo"))
    if not forward and not backward:
        return None
    if not len(forward) == len(backward) == frames - 1:
        raise InputNotFoundError(
            f"dataset {root}: {folder.relative_to(root)} has {len(forward)} *_f.flo and {len(backward)} *_b.flo, "
            f"expected {frames - 1} each for {frames} frames"
        )
    return FlowFiles(forward, backward)


def _folders(folder: Path) -> list[str]:
    """Return the names of folders of clips as the published lists and masks order them: as text."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _images(folder: Path) -> tuple[Path, ...]:
    return _files(folder, lambda path: path.suffix.lower() in IMAGE_SUFFIXES)


def _files(folder: Path, wanted: Callable[[Path], bool]) -> tuple[Path, ...]:
    """Return files of single frames as the runtime reads them, frame 2 before frame 10; none without a folder."""
    return tuple(files_in(folder, wanted)) if folder.is_dir() else ()
