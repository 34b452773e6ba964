from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction

import av
import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.encoder_plan import EncoderPlan
from ptfan.engine.media.encoding import Encoding
from ptfan.engine.media.orientation import UPRIGHT, Orientation
from ptfan.engine.media.stream_info import StreamInfo

INFO = StreamInfo("x", 64, 48, 8, "yuv420p", Fraction(1, 90000), Fraction(25))


def _plan(container: str = "mp4", info: StreamInfo = INFO, **wishes: object) -> EncoderPlan:
    return EncoderPlan.make(av.open(io.BytesIO(), "w", format=container), info, Encoding(**wishes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("container", "name"),
    [
        ("mp4", "libx264"),
        ("matroska", "libx264"),
        ("mov", "libx264"),
        ("webm", "libvpx-vp9"),
        ("avi", "mpeg4"),
        ("mpegts", "libx264"),
        ("mpeg", "mpeg2video"),
        ("svcd", "mpeg2video"),
        ("asf", "mpeg4"),
    ],
)
def test_the_usual_encoder(container: str, name: str):
    assert _plan(container).encoder.name == name


def test_time_is_kept_where_it_can_be():
    assert _plan().time_base == Fraction(1, 90000)
    assert _plan(codec="mpeg4").time_base == Fraction(1, 60000)
    assert _plan("avi", replace(INFO, rate=Fraction(30000, 1001))).time_base == Fraction(1001, 30000)
    assert _plan("avi", replace(INFO, rate=Fraction(10_000_000, 333_667))).time_base.denominator <= 65535


def test_rgb_becomes_what_players_show_unless_it_is_to_stay():
    info = replace(INFO, pixel_format="rgb24")
    assert (_plan(info=info).pixel_format, _plan(info=info).colour) == ("yuv420p", ColourTags(1, 1, 1, 13))
    assert _plan("matroska", info, codec="ffv1").pixel_format == "bgr0"
    deep = replace(INFO, pixel_format="rgb48le", depth=16)
    assert _plan(info=deep).pixel_format == "yuv420p10le"
    assert _plan("mov", replace(INFO, pixel_format="rgba", has_alpha=True), codec="qtrle").pixel_format == "argb"


def test_a_container_without_a_place_for_the_turn_gets_turned_frames():
    info = replace(INFO, width=48, height=64, orientation=Orientation(True, True), sample_aspect=Fraction(4, 3))
    kept, turned = _plan(info=info), _plan("avi", info)
    assert (kept.width, kept.height, kept.orientation, kept.turn) == (64, 48, info.orientation, UPRIGHT)
    assert (turned.width, turned.height, turned.orientation, turned.turn) == (48, 64, UPRIGHT, info.orientation)
    assert (kept.sample_aspect, turned.sample_aspect) == (Fraction(4, 3), Fraction(3, 4))


def test_sensible_choices_are_named():
    with pytest.raises(
        InputError, match=r"codec 'vp7': there is no such video encoder here; webm takes libsvtav1, libvpx-vp9"
    ):
        _plan("webm", codec="vp7")
    with pytest.raises(InputError, match=r"codec 'huffyuv': the container mp4 does not take it; mp4 takes libx264"):
        _plan(codec="huffyuv")


def test_losses_are_named():
    info = replace(INFO, pixel_format="yuva422p12le", depth=12, has_alpha=True, width=61)
    assert _plan(info=info).alpha_loss(info) == "the alpha channel is dropped: libx264 keeps none"
    assert _plan(info=info).losses(info) == [
        "12 bits a sample become 10: libx264 keeps no more",
        "yuv444p10le is used, as libx264 takes no odd size in yuva422p12le",
    ]
    assert (_plan().losses(INFO), _plan().alpha_loss(INFO)) == ([], "")


def test_colours_that_an_encoder_cannot_tell_become_those_that_it_is_shown_with():
    full = replace(INFO, colour=ColourTags(1, 2, 1, 1))
    assert _plan("matroska", full, codec="prores_ks").colour == ColourTags(1, 1, 1, 1)
    assert _plan("matroska", full, codec="vp8").colour == ColourTags(5, 1, 1, 1)
    assert [_plan("matroska", full, codec=codec).recoloured for codec in ("h264", "ffv1", "prores", "vp8")] == [
        *[False, False],
        *[True, True],
    ]
    assert not _plan("matroska", codec="vp8").recoloured, "nothing is known of its colours"
    rgb = replace(INFO, pixel_format="rgb24")
    assert (_plan("ogv", rgb).colour, _plan("ogv", rgb).colour.space) == (ColourTags(5, 1, 1, 13), 5)
