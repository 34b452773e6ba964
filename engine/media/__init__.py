"""Video files, image folders and Y4M streams, in and out."""

from __future__ import annotations

from ptfan.engine.media.encoding import Encoding
from ptfan.engine.media.opening import open_sink, open_source
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.source import Source
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["Encoding", "Sample", "Sink", "Source", "StreamInfo", "open_sink", "open_source"]
