from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import av
import pytest

from ptfan.engine.media.cover import cover_file, is_cover

COVER = av.stream.Disposition.attached_pic


def _stream(codec: str, disposition: av.stream.Disposition = COVER, kind: str = "video") -> Any:
    context = SimpleNamespace(codec=SimpleNamespace(canonical_name=codec))
    return SimpleNamespace(type=kind, disposition=disposition, codec_context=context)


def test_a_cover_is_what_is_marked_so():
    assert is_cover(_stream("png"))
    assert is_cover(_stream("png", COVER | av.stream.Disposition.default))
    assert not is_cover(_stream("mjpeg", av.stream.Disposition.default))
    assert not is_cover(_stream("aac", kind="audio"))


@pytest.mark.parametrize(
    ("codec", "file"), [("mjpeg", ("cover.jpg", "image/jpeg")), ("png", ("cover.png", "image/png")), ("bmp", None)]
)
def test_the_file_of_a_cover_is_named_by_its_codec(codec: str, file: tuple[str, str] | None):
    assert cover_file(_stream(codec)) == file
    assert cover_file(_stream(codec, av.stream.Disposition.default)) is None
