from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av

from ptfan.engine.media.film import films_of

Clips = Callable[..., Path]


def test_the_film_comes_before_a_thumbnail(clip: Clips, behind_thumbnail: Callable[[Path], Path]) -> None:
    with av.open(str(behind_thumbnail(clip()))) as container:
        assert [stream.index for stream in films_of(container)] == [1, 0]


def test_a_file_of_sound_has_none(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        frame = av.AudioFrame("s16", "mono", 160)
        frame.sample_rate = 8000
        container.mux(container.add_stream("pcm_s16le", rate=8000, layout="mono").encode(frame))
    with av.open(str(tmp_path / "sound.wav")) as container:
        assert films_of(container) == []
