from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import open_source
from ptfan.engine.media.folder_source import images_in


def _image(seed: int, channels: int = 3, deep: bool = False, size: tuple[int, int] = (20, 30)) -> np.ndarray:
    shape = (*size, channels) if channels > 1 else size
    random = np.random.default_rng(seed)
    return random.integers(0, 65536, shape, np.uint16) if deep else random.integers(0, 256, shape, np.uint8)


def _write(path: Path, rgb: np.ndarray) -> None:
    codes = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    assert cv2.imwrite(str(path), rgb if rgb.ndim == 2 else cv2.cvtColor(rgb, codes[rgb.shape[2]]))


@pytest.mark.parametrize("deep", [False, True])
def test_images_come_in_the_order_of_their_numbers(deep: bool, tmp_path: Path):
    for number in (10, 2, 1, 100):
        _write(tmp_path / f"frame{number}.png", _image(number, deep=deep))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_text("not an image")
    with open_source(tmp_path) as source:
        samples = list(source)
    assert [path.name for path in images_in(tmp_path)] == [f"frame{number}.png" for number in (1, 2, 10, 100)]
    for number, sample in zip((1, 2, 10, 100), samples, strict=True):
        assert np.array_equal(sample.image, _image(number, deep=deep))
        assert np.array_equal(sample.native.to_ndarray(), sample.image)
    info = source.info
    assert (info.width, info.height, info.frames, info.depth) == (30, 20, 4, 16 if deep else 8)
    assert (info.rate, info.path, info.companions) == (Fraction(25), None, ())
    assert [sample.time for sample in samples] == [Fraction(index, 25) for index in range(4)]


def test_names_without_numbers_come_as_masks_do(tmp_path: Path):
    names = ["1.png", "2.png", "10.png", "end.png", "Title.png"]
    for number, name in enumerate(names):
        _write(tmp_path / name, np.where(np.arange(30) == number, np.uint8(255), np.uint8(0))[None].repeat(20, 0))
    with open_mask(tmp_path) as masks:
        shown = [names[int(masks.at(t, 30, 20)[0].argmax())] for t in range(5)]
    assert shown == [path.name for path in images_in(tmp_path)] == names


def test_an_image_without_alpha_among_others_with_it_is_told(tmp_path: Path):
    _write(tmp_path / "1.png", _image(1, 4))
    _write(tmp_path / "2.png", _image(2, 3))
    with open_source(tmp_path) as source, pytest.raises(InputError, match=r"2\.png: has no alpha, expected 30x20"):
        list(source)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "tif"])
def test_the_usual_kinds_are_read(ending: str, tmp_path: Path):
    smooth = np.dstack([np.full((20, 30), value, np.uint8) for value in (200, 100, 50)])
    _write(tmp_path / f"1.{ending}", smooth)
    with open_source(tmp_path) as source:
        (sample,) = source
    assert np.abs(sample.image.astype(int) - smooth).max() < 6


def test_grey_becomes_rgb(tmp_path: Path):
    _write(tmp_path / "1.png", _image(1, 1))
    (sample,) = open_source(tmp_path)
    assert np.array_equal(sample.image, np.repeat(_image(1, 1)[..., None], 3, 2))


@pytest.mark.parametrize("deep", [False, True])
def test_alpha_stays_in_the_native_frame(deep: bool, tmp_path: Path):
    _write(tmp_path / "1.png", _image(1, 4, deep))
    with open_source(tmp_path) as source:
        (sample,) = source
    assert source.info.has_alpha
    assert np.array_equal(sample.image, _image(1, 4, deep)[..., :3])
    assert np.array_equal(sample.native.to_ndarray(), _image(1, 4, deep))


def test_a_palette_gives_its_colours(tmp_path: Path):
    pillow = pytest.importorskip("PIL.Image")
    image = pillow.fromarray(np.full((20, 30, 3), (10, 200, 90), np.uint8)).convert("P", palette=1)
    image.save(tmp_path / "1.png")
    (sample,) = open_source(tmp_path)
    assert np.array_equal(sample.image, np.asarray(image.convert("RGB")))


def test_a_span_and_a_rate(tmp_path: Path):
    for number in range(10):
        _write(tmp_path / f"{number}.png", _image(number))
    with open_source(tmp_path, 0.25, 0.7, rate=10) as source:
        assert [sample.index for sample in source] == [3, 4, 5, 6]
        assert (source.info.first, source.info.frames, source.info.duration) == (3, 4, Fraction(2, 5))
        assert source.info.total == 10
    with pytest.raises(InputError, match="no image is shown at 5 s or later; there are 10"):
        open_source(tmp_path, 5)


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        (None, Fraction(25)),
        (30, Fraction(30)),
        (12.5, Fraction(25, 2)),
        ("24000/1001", Fraction(24000, 1001)),
        ("23.976023976", Fraction(24000, 1001)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
    ],
)
def test_a_rate_is_a_number_or_a_fraction(given: Any, rate: Fraction, tmp_path: Path):
    _write(tmp_path / "1.png", _image(1))
    with open_source(tmp_path, rate=given) as source:
        assert (source.info.rate, source.info.time_base) == (rate, 1 / rate)
        assert source.info.timed == (given is not None)


@pytest.mark.parametrize("given", [0, -25, 1e6, 1e-9, "fast", "25/0", "nan", "inf"])
def test_a_rate_that_is_none_is_refused(given: Any, tmp_path: Path):
    _write(tmp_path / "1.png", _image(1))
    with pytest.raises(InputError, match=f"rate is {given}, expected frames a second, above 0 and up to 1000, such as"):
        open_source(tmp_path, rate=given)


def test_a_png_of_another_size_is_named_before_work_starts(tmp_path: Path):
    for number in range(5):
        _write(tmp_path / f"{number}.png", _image(number, size=(20, 31) if number == 3 else (20, 30)))
    with pytest.raises(
        InputError, match=r"3\.png: is 31x20, expected 30x20 .* as 0\.png: the images of a folder must be"
    ):
        open_source(tmp_path)


def test_another_kind_of_another_size_is_named_when_it_comes(tmp_path: Path):
    _write(tmp_path / "1.bmp", _image(1))
    _write(tmp_path / "2.bmp", _image(1, size=(8, 8)))
    with open_source(tmp_path) as source, pytest.raises(InputError, match=r"2\.bmp: is 8x8"):
        list(source)


def test_a_change_of_depth_is_named(tmp_path: Path):
    _write(tmp_path / "1.png", _image(1))
    _write(tmp_path / "2.png", _image(1, deep=True))
    with open_source(tmp_path) as source, pytest.raises(InputError, match=r"2\.png: has 16 bits"):
        list(source)


def test_what_is_no_image_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="holds no images; expected"):
        open_source(tmp_path)
    (tmp_path / "1.dpx").touch()
    (tmp_path / "2.EXR").touch()
    with pytest.raises(InputError, match=r"holds no images of a kind that is read \(\.png, .*\), but \.dpx, \.exr"):
        open_source(tmp_path)
    (tmp_path / "1.png").write_text("hello")
    with pytest.raises(InputError, match=r"1\.png: is not an image"):
        open_source(tmp_path)


@pytest.mark.parametrize("name", ["1.png", "1.jpg", "3.png", "3.jpg"])
def test_a_link_that_leads_nowhere_is_named(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    _write(tmp_path / "2.png", _image(2))
    (tmp_path / name).symlink_to("nowhere")
    reason = r"cannot be read \(No such file or directory\)"
    with pytest.raises(InputError, match=rf"{name}: {reason}"), open_source(tmp_path) as source:
        list(source)
    assert capfd.readouterr().err == ""


def test_a_folder_is_no_image_whatever_its_name(tmp_path: Path):
    (tmp_path / "1.png").mkdir()
    _write(tmp_path / "2.png", _image(2))
    with open_source(tmp_path) as source:
        assert len(list(source)) == source.info.frames == 1


def test_an_empty_file_is_no_image(tmp_path: Path):
    (tmp_path / "1.png").touch()
    with pytest.raises(InputError, match=r"1\.png: is not an image that can be read"):
        open_source(tmp_path)


def test_an_image_of_more_pixels_than_any_is_named(tmp_path: Path):
    _write(tmp_path / "1.png", _image(1))
    content = (tmp_path / "1.png").read_bytes()
    head = b"IHDR" + struct.pack(">II", 60000, 60000) + content[24:29]
    (tmp_path / "1.png").write_bytes(content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:])
    with pytest.raises(InputError, match=r"1\.png: is not an image that can be read, or is damaged or too large"):
        open_source(tmp_path)


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_samples_of_other_kinds_are_refused(kind: str, tmp_path: Path):
    assert cv2.imwrite(str(tmp_path / "1.tif"), np.zeros((8, 8, 3), kind))
    with pytest.raises(InputError, match=f"samples of type {kind}"):
        open_source(tmp_path)
