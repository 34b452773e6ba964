"""From a live source, a mask and a receiver to an inpainted stream: the one call that does it all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ptfan.engine.atomic import check_target
from ptfan.engine.channel import THREAD_PREFIX, Channel
from ptfan.engine.errors import InputError, OutputError
from ptfan.engine.frame import Box
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.keeping import keeping
from ptfan.engine.live.address import is_endless, is_network
from ptfan.engine.live.capture import Capture, Captured
from ptfan.engine.live.live_mask import LiveMask
from ptfan.engine.live.live_source import LiveSource
from ptfan.engine.live.monitor import Monitor
from ptfan.engine.live.monitored_sink import MonitoredSink, NoSink
from ptfan.engine.live.page import Page
from ptfan.engine.live.report import StreamReport
from ptfan.engine.live.settings import LiveSettings
from ptfan.engine.live.stream_sink import StreamSink
from ptfan.engine.masks.reader import AnyMask
from ptfan.engine.masks.source import MaskSource, mask_file, mask_settings, open_mask
from ptfan.engine.media import Encoding, Sink, open_sink
from ptfan.engine.model_record import model_record
from ptfan.engine.notices import Notices, Warn, log_warning
from ptfan.engine.roles import Role, check_apart
from ptfan.engine.stages import Room, Stages
from ptfan.engine.versions import versions

__all__ = ["LIVE_MODEL", "stream"]

LIVE_MODEL = "s-live"
"""The model that waits for no frame."""
QUEUE = 4
"""Captured frames that may wait where none is dropped."""
STATUS_SECONDS = 5.0
"""How often the state of a run is told."""
ROOM = Room(decoded=1, windows=1, filled=1)
"""What waits makes a stream late."""
NOTICES = 100
"""Lines that a report keeps of what was told: a run may go on for ever."""


def stream(
    source: str | Path,
    output: str | Path | None,
    *,
    mask: AnyMask | None = None,
    boxes: Sequence[Box] = (),
    text: Sequence[Box] = (),
    object_id: int | None = None,
    dilate: int = 0,
    model: str | Path = LIVE_MODEL,
    settings: InpaintSettings | None = None,
    live: LiveSettings | None = None,
    encoding: Encoding | None = None,
    overwrite: bool = False,
    stop: threading.Event | None = None,
    warn: Warn = log_warning,
    status: Callable[[str], None] | None = None,
) -> StreamReport:
    """Inpaint a live source until it ends, is given up, or `stop` is set. The output is finished in each case.

    It also ends when the output breaks, because nobody takes it any longer for instance.

    Memory does not grow. Pictures go out at their first size, with time stamps that increase, whatever the source does.

    Args:
        source: A URL, a camera's device, a file, or `-` for standard input.
        output: A URL, `NAME.m3u8`, a file, a folder, or `-` for Y4M on standard output; None only serves the page.
        mask: See `open_mask`. A file may be replaced while the stream runs.
        boxes: Rectangles that are hole in every frame, pixels of the frame as displayed.
        text: Rectangles in which captions and subtitles are looked for in every frame; the text alone is hole.
        object_id: Of a mask with a palette or lossless grey values, take only this index or value.
        dilate: Grow the hole by this many pixels.
        model: Name of a model that comes with the package, or a path.
        settings: How the network is fed.
        live: How the run behaves.
        encoding: How the output is encoded.
        overwrite: Whether an existing file may be replaced.
        stop: Set it from anywhere to end the run; what was captured is still written.
        warn: Takes a line about what happens.
        status: Takes a line about the state of the run every few seconds. What it raises ends the run, as with `warn`.

    Returns:
        What was done. It tells as well when the source was given up, or the output broke.

    Raises:
        InputError: Source, mask, model or an option cannot be used, or the output would take the place of one of them.
        OutputError: The output cannot be opened or finished.
        InterruptedRunError: `stop` was set before the source's first frame came.
    """
    live, encoding, stop = live or LiveSettings(), encoding or Encoding(), stop or threading.Event()
    source, output = str(source), None if output is None else str(output)
    check_apart([Role("output", output)], [Role("input", source), Role("mask", mask_file(mask))])
    _check_output(output, encoding, live)
    told, monitor = Notices(warn, NOTICES), Monitor()
    with ExitStack() as opened:
        open_masks = partial(open_mask, mask, boxes, text=text, object_id=object_id, dilate=dilate, warn=told)
        masks = opened.enter_context(_watched(mask, open_masks, told))
        inpainter = opened.enter_context(Inpainter(model, settings=settings))
        described, backend = model_record(inpainter), inpainter.runner.backend
        if live.page is not None:  # before the source, so that probes are answered while that is waited for
            page = opened.enter_context(Page(live.page, monitor))
            if status is not None:
                status(f"page at {page.url}")
        pictures = opened.enter_context(_open_source(source, live, monitor, stop, told))
        masks.follow(pictures.info)
        sink = _open_sink(output, pictures, encoding, told, overwrite=overwrite)
        sink = opened.enter_context(MonitoredSink(sink, monitor))
        stages: Stages[Any] = Stages(pictures, masks, inpainter, sink, room=ROOM)
        broken = _run(stages, sink, _Status(monitor, status), told)
    monitor.finished()
    asked = {
        **mask_settings(mask, boxes, text, object_id=object_id, dilate=dilate),
        "live": live.to_dict(), "encoding": encoding.to_dict(),
    }  # fmt: skip
    return StreamReport(
        input=source,
        output=output,
        figures=monitor.figures(),
        stages=dict(stages.busy),
        settings={**asked, **asdict(inpainter.settings)},
        model=described,
        backend=backend,
        versions=versions(),
        gave_up=None if pictures.gave_up is None else str(pictures.gave_up),
        broken=None if broken is None else str(broken),
        warnings=told.lines,
    )


def _check_output(output: str | None, encoding: Encoding, live: LiveSettings) -> None:
    if output is None and live.page is None:
        raise InputError("nothing to do with the pictures: give --to, or --page to look at them")
    if output is None or not _is_sent(output):
        encoding.refuse_options(output or "page")


def _run(stages: Stages[Any], sink: Sink, status: _Status, tell: Warn) -> OutputError | None:
    """Run to the end; return what broke the output, which is then given up."""
    try:
        with keeping(sink, stages, tell), status:
            stages.run(status.failed)
    except OutputError as error:
        sink.abort()
        return error
    return None


class _Status:
    """Tells the state of a run every few seconds; a context manager, whose end raises what the telling raised."""

    def __init__(self, monitor: Monitor, status: Callable[[str], None] | None) -> None:
        self._monitor, self._status = monitor, status
        self._over = threading.Event()
        self._error: BaseException | None = None
        self.failed = threading.Event()
        """Set when the telling has raised something; the run is to end."""
        self._thread = threading.Thread(target=self._run, name=f"{THREAD_PREFIX}status", daemon=True)

    def _run(self) -> None:
        try:
            while self._status is not None and not self._over.wait(STATUS_SECONDS):
                self._status(self._monitor.line())
        except BaseException as error:
            self._error = error
            self.failed.set()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._over.set()
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error


def _watched(mask: AnyMask | None, opened: Callable[[], MaskSource], warn: Warn) -> LiveMask:
    file = mask_file(mask)
    return LiveMask(None if file is None else Path(file), opened, warn)


def _open_source(source: str, live: LiveSettings, monitor: Monitor, stop: threading.Event, warn: Warn) -> LiveSource:
    endless = is_endless(source)
    realtime = endless if live.realtime is None else live.realtime
    channel: Channel[Captured] = Channel(1 if realtime else QUEUE, newest_wins=realtime)
    capture = Capture(
        source, live.feed, channel, monitor, paced=realtime, reconnect=live.reconnect, stop=stop, warn=warn
    )
    info = capture.open()
    if info.companions:
        warn(f"{info.name}: {', '.join(info.companions)} will not go on: a live output has pictures alone")
    whole = not (realtime or endless)
    return LiveSource(capture, channel, info, while_lost=live.while_lost, stop=stop, warn=warn, whole=whole)


def _open_sink(output: str | None, source: LiveSource, encoding: Encoding, warn: Warn, *, overwrite: bool) -> Sink:
    if output is None:
        return NoSink()
    if not _is_sent(output):
        return open_sink(output, source, encoding, overwrite=overwrite, warn=warn)
    if not is_network(output):
        _make_room(Path(output), overwrite=overwrite)
    return StreamSink(output, source.info, encoding, warn)


def _is_sent(output: str) -> bool:
    """Tell whether an output is sent as it comes, rather than written as a whole."""
    return is_network(output) or output.endswith(".m3u8")


def _make_room(playlist: Path, *, overwrite: bool) -> None:
    """Make the folder of a playlist and its segments, and check that the playlist may be written."""
    with suppress(OSError):  # what is wrong is said of the playlist
        playlist.parent.mkdir(exist_ok=True)
    check_target(playlist, overwrite=overwrite)
