"""What to call a stream of a file."""

from __future__ import annotations

from typing import Any

__all__ = ["stream_name"]


def stream_name(stream: Any) -> str:
    """Name a stream for people: kind, number, codec and language."""
    context = stream.codec_context
    codec = context.codec.canonical_name if context else getattr(stream, "name", None) or "unknown codec"
    language = stream.metadata.get("language", "und")
    return f"{stream.type} stream {stream.index} ({codec}{'' if language == 'und' else ', ' + language})"
