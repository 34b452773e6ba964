from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.media.png_mark import is_marked, mark

PICTURE = np.random.default_rng(0).integers(0, 1 << 16, (9, 7, 3), np.uint16)


@pytest.mark.parametrize("picture", [PICTURE, PICTURE.astype(np.uint8)])
def test_the_picture_is_the_same(picture: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(mark(cv2.imencode(".png", picture)[1].tobytes()))
    assert is_marked(path)
    written = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert written is not None
    assert np.array_equal(written, picture)
    image = pytest.importorskip("PIL.Image").open(path)
    image.load()  # which checks the sums of all chunks
    assert image.text == {"Software": "ptfan"}


def test_other_files_are_not_marked(tmp_path: Path) -> None:
    plain = tmp_path / "a.png"
    assert not is_marked(plain)
    for content in (cv2.imencode(".png", PICTURE)[1].tobytes(), b"", b"Software ptfan"):
        plain.write_bytes(content)
        assert not is_marked(plain)
    assert not is_marked(tmp_path)
