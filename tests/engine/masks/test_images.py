"""Every mode that a mask may come in says the same hole."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputNotFoundError, MaskError
from ptfan.engine.masks.images import read_labels, read_mask_image, read_object_ids

IDS = np.zeros((20, 31), np.uint8)
IDS[4:9, 5:12] = 1
IDS[10:14, 20:25] = 2
HOLE = IDS > 0


def png(path: Path, rows: bytes, depth: int, colour: int, palette: bytes = b"") -> Path:
    """Write a PNG by hand: no library here writes every mode of it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = IDS.shape
    stride = len(rows) // height
    filtered = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [
        chunk(b"IHDR", header),
        chunk(b"PLTE", palette) if palette else b"",
        chunk(b"IDAT", zlib.compress(filtered)),
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))
    return path


def packed(values: NDArray[np.uint8], bits: int) -> bytes:
    """Pack values of 1, 2 or 4 bits into bytes, rows padded."""
    expanded = np.unpackbits(values[..., None], axis=-1)[..., 8 - bits :]
    return np.packbits(expanded.reshape(values.shape[0], -1), axis=1).tobytes()


def test_grey_png_counts_every_value_but_zero(tmp_path: Path) -> None:
    hole = read_mask_image(png(tmp_path / "m.png", IDS.tobytes(), 8, 0))
    assert hole.dtype == np.bool_
    np.testing.assert_array_equal(hole, HOLE)


def test_16_bit_grey_counts_the_lowest_bit(tmp_path: Path) -> None:
    path = png(tmp_path / "m.png", IDS.astype(">u2").tobytes(), 16, 0)
    np.testing.assert_array_equal(read_mask_image(path), HOLE)
    np.testing.assert_array_equal(read_mask_image(path, object_id=2), IDS == 2)


def test_one_bit_grey(tmp_path: Path) -> None:
    path = png(tmp_path / "m.png", packed(HOLE.astype(np.uint8), 1), 1, 0)
    np.testing.assert_array_equal(read_mask_image(path), HOLE)
    np.testing.assert_array_equal(read_mask_image(path, object_id=1), HOLE)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_palette_counts_by_index_whatever_its_colours(tmp_path: Path, bits: int) -> None:
    # Index 0 is white and index 1 is black: colours would say the opposite.
    palette = bytes([255, 255, 255, 0, 0, 0, 0, 0, 0])
    rows = IDS.tobytes() if bits == 8 else packed(IDS, bits)
    path = png(tmp_path / "m.png", rows, bits, 3, palette)
    np.testing.assert_array_equal(read_mask_image(path), HOLE)
    np.testing.assert_array_equal(read_mask_image(path, object_id=1), IDS == 1)
    np.testing.assert_array_equal(read_mask_image(path, object_id=2), IDS == 2)
    assert not read_mask_image(path, object_id=3).any()


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("deep", [False, True])
def test_colour_counts_in_any_channel_down_to_the_lowest_bit(tmp_path: Path, channel: int, deep: bool) -> None:
    picture = np.zeros((*IDS.shape, 3), ">u2" if deep else np.uint8)
    picture[HOLE, channel] = 1
    path = png(tmp_path / "m.png", picture.tobytes(), 16 if deep else 8, 2)
    np.testing.assert_array_equal(read_mask_image(path), HOLE)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("colour", [4, 6], ids=["grey and alpha", "RGBA"])
def test_alpha_counts_where_it_varies_else_the_colours(tmp_path: Path, colour: int, deep: bool) -> None:
    kind, bits = (">u2", 16) if deep else (np.uint8, 8)
    picture = np.full((*IDS.shape, 2 if colour == 4 else 4), 7, kind)
    picture[..., -1] = HOLE
    np.testing.assert_array_equal(read_mask_image(png(tmp_path / "a.png", picture.tobytes(), bits, colour)), HOLE)
    picture[..., :-1] = IDS[..., None]
    picture[..., -1] = np.iinfo(kind).max
    np.testing.assert_array_equal(read_mask_image(png(tmp_path / "b.png", picture.tobytes(), bits, colour)), HOLE)


def test_jpeg_counts_above_127_only(tmp_path: Path) -> None:
    grey = np.full((32, 64), 100, np.uint8)
    grey[:, 32:] = 160
    path = tmp_path / "m.jpg"
    assert cv2.imwrite(str(path), grey)
    expected = np.zeros((32, 64), bool)
    expected[:, 32:] = True
    np.testing.assert_array_equal(read_mask_image(path), expected)
    with pytest.raises(MaskError, match="lossy"):
        read_mask_image(path, object_id=1)


def test_labels_are_indices_or_grey_values_or_hole_and_not(tmp_path: Path) -> None:
    for colour, palette in ((3, bytes(range(9))), (0, b"")):
        path = png(tmp_path / "m.png", IDS.tobytes(), 8, colour, palette)
        np.testing.assert_array_equal(read_labels(path), IDS)
    deep = np.where(IDS == 2, 300, IDS.astype(int)).astype(">u2")
    np.testing.assert_array_equal(read_labels(png(path, deep.tobytes(), 16, 0)), np.minimum(deep, 255))
    assert cv2.imwrite(str(tmp_path / "m.jpg"), np.repeat(np.array([[100, 160]], np.uint8), 32).reshape(1, 64))
    np.testing.assert_array_equal(read_labels(tmp_path / "m.jpg"), np.repeat([[0, 1]], 32).reshape(1, 64))


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    path = png(tmp_path / "mask%03d.jpg", IDS.tobytes(), 8, 0)
    np.testing.assert_array_equal(read_mask_image(path), HOLE)


@pytest.mark.parametrize("suffix", [".bmp", ".tiff", ".webp", ".pgm"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []  # Above 100: without losses.
    assert cv2.imwrite(str(path), HOLE.astype(np.uint8) * 255, options)
    np.testing.assert_array_equal(read_mask_image(path), HOLE)


def test_object_ids_need_a_palette_or_grey(tmp_path: Path) -> None:
    path = png(tmp_path / "m.png", np.repeat(IDS[..., None], 3, axis=2).tobytes(), 8, 2)
    with pytest.raises(MaskError, match="object ids need a palette"):
        read_mask_image(path, object_id=1)


def test_the_object_ids_of_an_image(tmp_path: Path) -> None:
    assert read_object_ids(png(tmp_path / "m.png", IDS.tobytes(), 8, 3, bytes(range(9)))) == [1, 2]
    deep = (IDS.astype(np.uint16) * 300).astype(">u2").tobytes()
    assert read_object_ids(png(tmp_path / "m.png", deep, 16, 0)) == [300, 600]
    assert read_object_ids(png(tmp_path / "m.png", bytes(IDS.size), 8, 0)) == []


def test_a_damaged_image_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, IDS.shape, np.uint8)
    path = png(tmp_path / "m.png", noise.tobytes(), 8, 0)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(MaskError, match=r"m\.png: cannot be read"):
        read_mask_image(path)
    jpeg = tmp_path / "m.jpg"
    assert cv2.imwrite(str(jpeg), np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    jpeg.write_bytes(jpeg.read_bytes()[:1500])
    with pytest.raises(MaskError, match=r"m\.jpg: cannot be read"):
        read_mask_image(jpeg)


@pytest.mark.parametrize("content", [b"", b"not an image at all\n" * 40])
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.png"
    path.write_bytes(content)
    with pytest.raises(MaskError, match="cannot be read"):
        read_mask_image(path)


def test_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(MaskError, match="no picture"):
        read_mask_image(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"nowhere\.png"):
        read_mask_image(tmp_path / "nowhere.png")


def exif(orientation: int) -> bytes:
    """A JPEG segment that says how the camera was held."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (8, 1), (3, 2), (6, 3)])
def test_a_photograph_is_turned_as_it_is_shown(tmp_path: Path, orientation: int, turns: int) -> None:
    grey = np.zeros((32, 64), np.uint8)
    grey[:16, :16] = 255
    path = tmp_path / "m.jpg"
    assert cv2.imwrite(str(path), grey)
    content = path.read_bytes()
    path.write_bytes(content[:2] + exif(orientation) + content[2:])
    np.testing.assert_array_equal(read_mask_image(path), np.rot90(grey > 127, turns))


def test_a_kind_of_picture_without_a_decoder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="4" height="4"/></svg>')
    with pytest.raises(MaskError, match=r"m\.svg: its kind of picture cannot be decoded here; save it as PNG"):
        read_mask_image(path)
