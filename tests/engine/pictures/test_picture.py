from __future__ import annotations

import av
import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.pictures.picture import check_picture_name, encode_picture, encode_png, to_8_bit


@pytest.mark.parametrize(("deep", "shallow"), [(0, 0), (65535, 255), (257 * 100, 100), (128, 0), (129, 1)])
def test_deep_pictures_are_rounded_to_8_bits(deep: int, shallow: int) -> None:
    assert (to_8_bit(np.full((2, 2, 3), deep, np.uint16)) == shallow).all()


def test_a_png_holds_the_very_picture(tmp_path: object) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (17, 23, 3), dtype=np.uint8)
    codec = av.CodecContext.create("png", "r")
    (frame,) = codec.decode(av.Packet(encode_png(picture)))
    assert np.array_equal(frame.to_ndarray(format="rgb24"), picture)


def test_the_name_decides_what_a_file_holds() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    assert encode_picture(grey, "a.png") == encode_picture(grey, "-") == encode_png(grey)
    assert encode_picture(grey, "a.JPG")[:3] == encode_picture(grey, "a.jpeg")[:3] == b"\xff\xd8\xff"
    check_picture_name("-")
    with pytest.raises(InputError, match=r"a.bmp: has no picture's ending; expected .png or .jpg"):
        check_picture_name("a.bmp")
