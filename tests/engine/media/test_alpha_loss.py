from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Clips = Callable[..., Path]


YUV, BGR, ARGB = ("yuva420p", "ffv1"), ("bgra", "ffv1"), ("argb", "qtrle")


@pytest.mark.parametrize(
    ("name", "kind"),
    [*[(name, kind) for name in ("out.mp4", "out/") for kind in (YUV, BGR, ARGB)], ("out.y4m", YUV)],
)
def test_alpha_that_is_not_used_is_not_missed(name: str, kind: tuple[str, str], clip: Clips, convert, tmp_path: Path):
    pixels, codec = kind
    ending = "mov" if codec == "qtrle" else "mkv"
    opaque = clip(f"opaque.{ending}", codec=codec, pixel_format=pixels, alpha=255)
    clear = clip(f"clear.{ending}", codec=codec, pixel_format=pixels, alpha=240)
    for source, told in ((opaque, 0), (clear, 1)):
        said = convert(source, f"{tmp_path}/{name}", overwrite=True)
        assert sum("the alpha channel is dropped" in line for line in said) == told
