"""Reading one mask: what a decoded picture of any mode says about the hole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ptfan.engine.errors import InputNotFoundError, MaskError, PtfanError
from ptfan.engine.frame import Mask
from ptfan.engine.media.film import films_of
from ptfan.engine.media.input_container import LEADS_AWAY, open_container
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.pixel_layout import bits_of, has_alpha, plane_rows

__all__ = ["hole_of", "no_picture", "open_pictures", "read_labels", "read_mask_image", "read_object_ids"]

LOSSY_THRESHOLD = 127
"""Where a picture has been compressed with losses, grey values up to this one (of 255) are not hole."""
Values = NDArray[Any]
"""Whole numbers, (h, w) or (h, w, channels)."""
_PROPERTY_LOSSY = 2
"""FFmpeg's AV_CODEC_PROP_LOSSY: the codec may lose information."""


@contextmanager
def open_pictures(path: Path) -> Iterator[av.container.InputContainer]:
    """Open an image or a video by its content, whatever its name.

    FFmpeg takes a name such as `mask%d.png` for a pattern; a file object has no name.

    Raises:
        InputNotFoundError: there is no such file.
        MaskError: it cannot be read, or holds no picture.
    """
    try:
        with path.open("rb") as file, open_container(file) as container:
            films = films_of(container)
            if not films:
                raise no_picture(path)
            if films[0].codec_context is None:  # such as drawings of lines, SVG
                raise MaskError(f"mask {path}: its kind of picture cannot be decoded here; save it as PNG")
            yield container
    except PtfanError:
        raise
    except FileNotFoundError as error:
        raise InputNotFoundError(f"mask {path}: no such file or folder") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MaskError(f"mask {path}: cannot be read ({_reason(error)}); give an image or a video") from error


def no_picture(path: Path) -> MaskError:
    """Return an error that says that a file holds none."""
    return MaskError(f"mask {path}: no picture in it; give an image, a folder of images or a video")


def read_mask_image(path: Path, *, object_id: int | None = None) -> Mask:
    """Read the hole from an image file.

    Args:
        path: A PNG or any other still image that FFmpeg reads.
        object_id: Take only the pixels with this palette index or grey value; None takes all that are not 0.

    Returns:
        (h, w), True in the hole, at the image's own size.

    Raises:
        InputNotFoundError: there is no such file.
        MaskError: it is no image, is damaged, or has no object ids although one is asked for.
    """
    frame, lossy = _first_picture(path)
    return hole_of(frame, lossy=lossy, object_id=object_id, name=path)


def read_object_ids(path: Path) -> list[int]:
    """Read which palette indices or grey values an image file has, but 0, in order.

    Raises:
        InputNotFoundError: there is no such file.
        MaskError: it is no image, is damaged, or has no object ids.
    """
    frame, lossy = _first_picture(path)
    return [int(value) for value in np.unique(_values(frame, lossy, path)) if value]


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read which object each pixel of an image file belongs to, as data sets store that.

    Returns:
        (h, w), at the image's own size: the palette's index, or else the grey value, 255 where it is more; 0 is no
        object. Of a lossy codec's picture, whose values mean nothing, 1 where it is brighter than half.

    Raises:
        InputNotFoundError: there is no such file.
        MaskError: it is no image, or is damaged.
    """
    frame, lossy = _first_picture(path)
    if lossy:
        return (_decoded(frame, "gray") > LOSSY_THRESHOLD).astype(np.uint8)
    if frame.format.has_palette:
        return _indices(frame)
    grey = _grey(frame) if len(frame.format.components) == 1 else _decoded(frame, "gray")
    return np.minimum(grey, 255).astype(np.uint8)


def _first_picture(path: Path) -> tuple[VideoFrame, bool]:
    """Return the decoded picture of an image file, and whether its codec may have changed values."""
    with open_pictures(path) as container:
        stream = films_of(container)[0]
        if stream.codec_context.name == "mjpeg":
            # Without it FFmpeg fills what a cut-off JPEG lacks and says nothing; sound TIFFs fail with it.
            stream.codec_context.options = {"err_detect": "explode"}
        lossy = bool(int(stream.codec_context.codec.properties) & _PROPERTY_LOSSY)
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise MaskError(f"mask {path}: the image is damaged; write it again")
            return frame, lossy
        raise no_picture(path)


def hole_of(frame: VideoFrame, *, lossy: bool, object_id: int | None = None, name: object = "") -> Mask:
    """Tell where the hole is in a decoded mask.

    A palette counts by index. A picture with transparency counts by alpha if alpha varies, else by its colours. Then
    every value but 0 is hole; of a lossy picture, luminance (or alpha) above 127 of 255.

    Args:
        frame: The decoded mask, in any pixel format.
        lossy: The codec may have changed values, so that small ones mean nothing.
        object_id: Take only the pixels with this palette index or grey value.
        name: What to call the mask in an error.

    Returns:
        (h, w), True in the hole, upright (a rotation noted in the file is applied).

    Raises:
        MaskError: `object_id` is given and the picture has neither palette nor lossless grey values.
    """
    hole: Mask
    if object_id is not None:
        hole = _values(frame, lossy, name) == object_id
    elif lossy:
        hole = _grey_or_alpha(frame) > LOSSY_THRESHOLD
    else:
        hole = _known_values(frame)
    return Orientation.of(frame).apply(hole)


def _values(frame: VideoFrame, lossy: bool, name: object) -> Values:
    if frame.format.has_palette:
        return _indices(frame)
    if lossy or len(frame.format.components) != 1:
        raise MaskError(
            f"mask {name}: object ids need a palette or lossless grey image, this is {frame.format.name}"
            f"{' of a lossy codec' if lossy else ''}; leave the object id out or convert the mask"
        )
    return _grey(frame)


def _indices(frame: VideoFrame) -> Values:
    indices: Values = plane_rows(frame.planes[0])[: frame.height, : frame.width].copy()
    return indices


def _grey(frame: VideoFrame) -> Values:
    bits = bits_of(frame.format.name)
    if bits == 1:
        return _nonzero(_decoded(frame, "gray")).view(np.uint8)
    return _decoded(frame, "gray16le" if bits > 8 else "gray")


def _known_values(frame: VideoFrame) -> Mask:
    if frame.format.has_palette:
        return _nonzero(_indices(frame))
    if len(frame.format.components) == 1:
        return _nonzero(_grey(frame))
    deep = bits_of(frame.format.name) > 8
    if not has_alpha(frame.format.name):
        return _nonzero(_decoded(frame, "rgb48le" if deep else "rgb24").max(axis=2))
    picture = _decoded(frame, "rgba64le" if deep else "rgba")
    alpha = picture[..., 3]
    return _nonzero(alpha if _varies(alpha) else picture[..., :3].max(axis=2))


def _grey_or_alpha(frame: VideoFrame) -> Values:
    if has_alpha(frame.format.name):
        alpha = _decoded(frame, "rgba")[..., 3]
        if _varies(alpha):
            return alpha
    return _decoded(frame, "gray")


def _nonzero(values: Values) -> Mask:
    mask: Mask = values != 0
    return mask


def _decoded(frame: VideoFrame, pixel_format: str) -> Values:
    """Return the picture as an array, (h, w) or (h, w, channels); FFmpeg converts where need be."""
    picture: Values = np.asarray(frame.to_ndarray(format=pixel_format))
    return picture


def _varies(alpha: Values) -> bool:
    return bool(alpha.min() != alpha.max())


def _reason(error: Exception) -> str:
    if isinstance(error, av.ArgumentError):
        return f"it is {LEADS_AWAY}"
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__
