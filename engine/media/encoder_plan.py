"""How a video is going to be encoded: all that is decided before the first frame."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import av

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.containers import Container, container_named
from ptfan.engine.media.encoders import ENCODERS, Encoder, encoder_named
from ptfan.engine.media.encoding import Encoding
from ptfan.engine.media.frame_rate import MPEG_RATES, USUAL_RATE, is_mpeg_rate, nearest_mpeg_rate
from ptfan.engine.media.orientation import UPRIGHT, Orientation
from ptfan.engine.media.pixel_choice import choose_format
from ptfan.engine.media.pixel_layout import bits_of, has_alpha
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["EncoderPlan"]

_HDR_TRANSFERS = {16, 18}
"""Transfer characteristics of HDR, PQ and HLG."""
_FINEST = 65535
"""The most ticks a second that MPEG-4 counts."""
_COARSE = Fraction(1, 60000)
"""Seconds a tick where a source's are too short: a multiple of the usual frame rates."""


@dataclass(frozen=True)
class EncoderPlan:
    """Everything about a stream that is to be encoded."""

    encoder: Encoder
    """Which encoder."""
    options: Mapping[str, str]
    """Its options."""
    pixel_format: str
    """What frames are converted to before they are encoded."""
    colour: ColourTags
    """Colour tags of the stream, and of the frames after conversion."""
    recoloured: bool
    """Whether frames get another matrix or range also in their own pixel format, as the encoder cannot tell theirs."""
    width: int
    """Width as coded, pixels."""
    height: int
    """Height as coded, pixels."""
    sample_aspect: Fraction | None
    """Width of a coded sample over its height; None when not known."""
    rate: Fraction
    """Frames a second, nominal."""
    time_base: Fraction
    """Seconds a tick of the encoder's time stamps."""
    orientation: Orientation
    """How the container says that the picture is to be turned."""
    turn: Orientation
    """How frames are turned before they are encoded, where the container cannot say it."""
    fixed_rate: bool
    """Whether time stamps are rounded to whole frames of a constant rate."""
    gapless: bool = False
    """Whether a frame must be repeated on each tick until the next one."""
    counted: bool = False
    """Whether the container counts packets from tick 0 on, so that an empty one must come before a later frame."""
    tag: str | None = None
    """What the container is to call the codec; None for its own choice."""
    hint: str = ""
    """What to say of a choice that was not asked for; empty where nothing is to be said."""

    @classmethod
    def make(cls, container: av.container.OutputContainer, info: StreamInfo, encoding: Encoding) -> EncoderPlan:
        """Decide how to encode frames like those of a source.

        Args:
            container: Where the stream goes.
            info: What the frames are like.
            encoding: What is wished for.

        Raises:
            InputError: There is no such encoder, the container does not take its codec, or no pixel format fits.
        """
        kind = container_named(container.format.name)
        encoder = _choose_encoder(container, kind, encoding.codec)
        turn = UPRIGHT if kind.turns else info.orientation
        coded = info.orientation.size(info.width, info.height)
        size = turn.size(*coded)
        pixel_format = _choose_pixels(encoder, info, size, exact=encoder.is_exact(encoding.quality))
        options = encoder.settings(encoding.quality, encoding.preset) | ({} if kind.reorders else {"bf": "0"})
        natural = info.colour.converted(info.pixel_format, pixel_format)
        colour = encoder.colour_of(natural)
        fixed = encoder.fixed_rate or kind.fixed_rate
        rate = _fixed_rate(kind, encoder, info) if fixed else info.rate or USUAL_RATE
        return cls(
            encoder=encoder,
            options=options if info.hdr is None else options | encoder.hdr_options(info.hdr, options),
            pixel_format=pixel_format,
            colour=colour,
            recoloured=colour != natural,
            width=size[0],
            height=size[1],
            sample_aspect=turn.aspect(info.sample_aspect),
            rate=rate,
            time_base=(1 / rate).limit_denominator(_FINEST) if fixed else _time_base(encoder, info),
            orientation=info.orientation if kind.turns else UPRIGHT,
            turn=turn,
            fixed_rate=fixed,
            gapless=kind.gapless,
            counted=kind.counted,
            tag=kind.tags.get(_codec(encoder.name)),
            hint=_hint(kind.name, encoder, info, pixel_format) if encoding.codec is None else "",
        )

    @property
    def refusal(self) -> str:
        """What to say when the encoder does not open."""
        wishes = ", ".join(f"{key} {value}" for key, value in self.options.items())
        size = f"{self.width}x{self.height} {self.pixel_format} at {float(self.rate):g} frames a second"
        needs = f"; it needs {self.encoder.needs}" if self.encoder.needs else ""
        return f"codec {self.encoder.name!r}: cannot encode {size} with {wishes or 'no options'}{needs}"

    def alpha_loss(self, info: StreamInfo) -> str:
        """Name the alpha channel that frames like those of a source lose in this plan; nothing where they do not."""
        if not info.has_alpha or has_alpha(self.pixel_format):
            return ""
        where = " in RGB" if av.VideoFormat(self.pixel_format).is_rgb else ""
        return f"the alpha channel is dropped: {self.encoder.name} keeps none{where}"

    def losses(self, info: StreamInfo) -> list[str]:
        """Name what frames like those of a source lose in this plan, but for alpha, which they need not use."""
        old, new = av.VideoFormat(info.pixel_format), av.VideoFormat(self.pixel_format)
        bits = bits_of(self.pixel_format)
        found = []
        if bits < info.depth:
            found.append(f"{info.depth} bits a sample become {bits}: {self.encoder.name} keeps no more")
        if info.hdr is not None and self.encoder.hdr is None:
            found.append("the HDR10 metadata (mastering display, light levels) are dropped; the colour tags are kept")
        if self.encoder.whole_blocks and self.width % 2 + self.height % 2 and new.name != old.name and not old.is_rgb:
            found.append(f"{new.name} is used, as {self.encoder.name} takes no odd size in {old.name}")
        return found


def _choose_encoder(container: av.container.OutputContainer, kind: Container, codec: str | None) -> Encoder:
    """Return the encoder that was asked for, or the usual one, if the container takes it."""
    name = kind.name
    if codec is None:
        fitting = [encoder for encoder in ENCODERS if _takes(name, encoder.name)]
        usual = [encoder for encoder in fitting if encoder.name == kind.encoder]
        return (usual or fitting or [encoder_named(container.default_video_codec)])[0]
    encoder = encoder_named(codec)
    if not _takes(name, encoder.name):
        choices = ", ".join(choice.name for choice in ENCODERS if _takes(name, choice.name)) or "none"
        known = _exists(encoder.name)
        reason = f"the container {name} does not take it" if known else "there is no such video encoder here"
        raise InputError(f"codec {codec!r}: {reason}; {name} takes {choices}")
    return encoder


def _exists(name: str) -> bool:
    """Tell whether there is a video encoder of a name."""
    try:
        return av.Codec(name, "w").type == "video"
    except ValueError:
        return False


def _hint(container: str, encoder: Encoder, info: StreamInfo, pixel_format: str) -> str:
    """Say where HEVC of 10 bits, or HDR, is about to become H.264 of 10 bits, which hardly any device decodes."""
    deep = bits_of(pixel_format) > 8
    usual_hevc = info.codec == "hevc" or info.colour.transfer in _HDR_TRANSFERS
    if not (deep and usual_hevc and encoder.name == "libx264" and _takes(container, "libx265")):
        return ""
    return "is H.264 of 10 bits a sample, which few devices play; --codec libx265 makes HEVC instead"


def _codec(name: str) -> str:
    """Return the codec that an encoder makes, such as `hevc`; nothing where there is no such encoder."""
    return av.Codec(name, "w").canonical_name if _exists(name) else ""


def _takes(container: str, name: str) -> bool:
    """Tell whether a container takes what an encoder makes."""
    if not _exists(name):
        return False
    scratch = av.open(io.BytesIO(), "w", format=container)
    try:
        scratch.add_stream(name)
    except ValueError:
        return False
    return True


def _fixed_rate(container: Container, encoder: Encoder, info: StreamInfo) -> Fraction:
    """Return the constant rate that suits the frames best among those that container and encoder can say."""
    rate = info.constant_rate or info.rate or USUAL_RATE
    if container.mpeg_rates or encoder.name == "mpeg1video":
        return rate if rate in MPEG_RATES else nearest_mpeg_rate(rate)
    if encoder.name == "mpeg2video":
        return rate if is_mpeg_rate(rate) else nearest_mpeg_rate(rate)
    return rate


def _time_base(encoder: Encoder, info: StreamInfo) -> Fraction:
    """Return the source's time base, or a coarser one where the encoder cannot count so fast."""
    return _COARSE if encoder.coarse_time and info.time_base.denominator > _FINEST else info.time_base


def _choose_pixels(encoder: Encoder, info: StreamInfo, size: tuple[int, int], *, exact: bool) -> str:
    """Return the pixel format to encode in; RGB becomes 4:2:0, which every player shows, unless it is to stay exact."""
    wanted = info.pixel_format
    if av.VideoFormat(wanted).is_rgb and not exact:
        wanted = ("yuva420p" if info.has_alpha else "yuv420p") + ("10le" if info.depth > 8 else "")
    listed = [item.name for item in av.Codec(encoder.name, "w").video_formats or ()]
    if encoder.alpha is not None:
        listed = [name for name in listed if name in encoder.alpha or not has_alpha(name)]
    offered = encoder.formats or tuple(listed) or (wanted,)
    chosen = choose_format(wanted, offered, size if encoder.whole_blocks else None)
    if chosen is None:
        raise InputError(f"codec {encoder.name!r}: takes no picture of {size[0]}x{size[1]}; choose another codec")
    return chosen
