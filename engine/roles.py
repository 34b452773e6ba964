"""What the names that a run is given are to it: nothing that it writes may take the place of what else it was given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ptfan.engine.errors import InputError
from ptfan.engine.media.endings import is_mask_image
from ptfan.engine.media.staging import partial_name

__all__ = ["Role", "check_apart", "output_roles"]

Key = Path | tuple[int, int]
"""A file or folder by its full name without links, or by device and number, which hard links share."""


@dataclass(frozen=True, eq=False)
class Role:
    """A name, and what it is to a run."""

    what: str
    """In a word, such as `input`, `mask` or `report`."""
    name: str | os.PathLike[str] | None
    """A file or folder; None, `-` and URLs are in nobody's way."""
    note: str = ""
    """What an error says behind the name."""

    @property
    def place(self) -> Path | None:
        """The full name without links; None where it is no file or folder."""
        text = "-" if self.name is None else os.fspath(self.name).removeprefix("file://")
        return None if text == "-" or "://" in text else Path(os.path.realpath(text))


def output_roles(output: str | os.PathLike[str]) -> list[Role]:
    """Return the roles of an output: of itself, and of what is kept of it when its run is stopped."""
    if os.fspath(output) == "-":
        return []
    part = partial_name(Path(output))
    return [Role("output", output), Role("output", part, " (where a run that is stopped is kept)")]


def check_apart(written: Sequence[Role], read: Sequence[Role]) -> None:
    """Check that nothing that is written is, or contains, what is read or another thing that is written.

    Raises:
        InputError: Something is; or it is an image in a folder of images that is read.
    """
    owners: dict[Key, list[Role]] = {}
    for role in written:
        for key in _keys(role.place):
            owners.setdefault(key, []).append(role)
    for other in (*read, *written):
        place = other.place
        for key in _keys(place):
            _refuse(owners.get(key, []), other, f"is the {other.what} itself")
        for folder in () if place is None else place.parents:
            _refuse(owners.get(folder, []), other, f"contains the {other.what} {other.name}")
    _spare_images(written, read)


def _spare_images(written: Sequence[Role], read: Sequence[Role]) -> None:
    folders = {role.place: role for role in read}
    for role in written:
        place = role.place
        if place is None or not is_mask_image(place) or not place.is_file():
            continue
        if place.parent in folders:
            other = folders[place.parent]
            _refuse([role], other, f"is an image of the {other.what} {other.name}")


def _refuse(owners: Sequence[Role], other: Role, way: str) -> None:
    target = next((role for role in owners if role is not other), None)
    if target is not None:
        raise InputError(f"{target.name}{target.note}: {way}; give the {target.what} another name")


def _keys(place: Path | None) -> list[Key]:
    if place is None:
        return []
    try:
        found = place.stat()
    except OSError:
        return [place]
    return [place, (found.st_dev, found.st_ino)]
