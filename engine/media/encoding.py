"""How an output is to be encoded, as its user wishes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from ptfan.engine.errors import InputError
from ptfan.engine.media.ffmpeg_options import FfmpegOptions

__all__ = ["Encoding"]

WORST_QUALITY = 51
"""Where the scale of x264's CRF ends."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What is wished for; what is left open is what suits the output.

    Raises:
        InputError: the quality is off its scale, or an option is no text.
    """

    codec: str | None = None
    """FFmpeg's name of an encoder, or a codec's."""
    quality: int | None = None
    """On the scale of x264's CRF: 0 is lossless, 16 (what files get) hard to tell from the source, 23 (what networks
    get) small."""
    preset: str | None = None
    """The encoder's speed, by its own name for it."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further options of FFmpeg's, of the format and the encoder, for what is sent over a network, or into an HLS
    folder; those of a protocol stand in its address. What nothing takes is refused, as are all for files, folders of
    images and Y4M."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", FfmpegOptions(self.options))
        quality = self.quality
        if quality is not None and not (isinstance(quality, Real) and 0 <= quality <= WORST_QUALITY):
            raise InputError(
                f"quality is {quality!r}, expected 0 (lossless) to {WORST_QUALITY} (worst); 16 to 23 are usual"
            )

    @property
    def chosen(self) -> bool:
        """Whether anything of the encoder is wished for."""
        return any(wish is not None for wish in (self.codec, self.quality, self.preset))

    def refuse_options(self, output: str) -> None:
        """Refuse FFmpeg's options for an output that takes none.

        Raises:
            InputError: there are some.
        """
        if self.options:
            raise InputError(
                f"{output}: takes no options of FFmpeg's (--output-option), as only networks and HLS (NAME.m3u8) do; "
                "leave them out"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the wishes as plain values, of FFmpeg's options the names alone: some are secret."""
        return vars(self) | {"options": sorted(self.options)}
