"""The one call that does it all, with a network that needs no file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ptfan.engine import pipeline as module
from ptfan.engine.errors import InputError, InterruptedRunError, MaskError, OutputError, OutputExistsError
from ptfan.engine.frame import Box
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.masks.source import MaskSource
from ptfan.engine.media import Encoding
from ptfan.engine.pipeline import inpaint

BOX = Box(20, 14, 16, 12)
LOSSLESS = Encoding(codec="ffv1")
FRAMES = 14


@pytest.fixture
def clip(tmp_path: Path, pan: Callable[..., Any]) -> Path:
    """Write a lossless clip of a moving texture."""
    with av.open(str(tmp_path / "clip.mkv"), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for image in pan(FRAMES, 48, 64):
            frame = av.VideoFrame.from_ndarray((image * 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return tmp_path / "clip.mkv"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, runner: Callable[..., Any], tmp_path: Path) -> Any:
    """Stand a network in that answers with grey; its file holds nothing."""
    fake = runner(lambda inputs: np.full_like(inputs["frames"], 0.5))
    monkeypatch.setattr(module, "Inpainter", lambda model, settings: Inpainter(settings=settings, runner=fake))
    fake.path = tmp_path / "fake.onnx"
    fake.path.write_bytes(b"fake")
    return fake


def pictures(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _masks(path: Path, rate: int, count: int) -> Path:
    """Write a mask video in which a square moves by 20 pixels a second."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for index in range(count):
            mask, left = np.zeros((48, 64), np.uint8), 20 * index // rate
            mask[20:28, left : left + 8] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(mask, format="gray")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("start", [None, 0.28])
def test_masks_of_another_rate_do_not_drift(start: float | None, clip: Path, network: Any, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"model": tmp_path / "fake.onnx", "encoding": LOSSLESS, "start": start}
    for name, rate in (("same", 25), ("twice", 50)):
        masks = _masks(tmp_path / f"{name}-masks.mkv", rate, FRAMES * rate // 25)
        report = inpaint(clip, tmp_path / f"{name}.mkv", mask=masks, **settings)
        assert [("at its time" in line) for line in report.warnings] == [True] * (rate != 25)
    same, twice = pictures(tmp_path / "same.mkv"), pictures(tmp_path / "twice.mkv")
    assert len(same) == (FRAMES if start is None else FRAMES - 7)
    assert np.array_equal(same, twice)


def test_masks_of_another_rate_that_end_too_soon_are_refused(clip: Path, network: Any, tmp_path: Path) -> None:
    masks = _masks(tmp_path / "masks.mkv", 50, 20)
    with pytest.raises(MaskError, match=r"lasts 0\.400 s for 0\.560 s of video"):
        inpaint(clip, tmp_path / "out.mkv", mask=masks, model=tmp_path / "fake.onnx")
    assert not (tmp_path / "out.mkv").exists()


def test_a_folder_of_images_is_shown_at_the_rate_that_is_given(clip: Path, network: Any, tmp_path: Path) -> None:
    inpaint(clip, tmp_path / "frames", boxes=[BOX], model=tmp_path / "fake.onnx")
    report = inpaint(
        tmp_path / "frames", tmp_path / "out.mp4", boxes=[BOX], model=tmp_path / "fake.onnx", rate="24000/1001"
    )
    assert report.settings["rate"] == "24000/1001"
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(24000, 1001)


def test_the_hole_is_filled_and_the_rest_is_kept(clip: Path, network: Any, tmp_path: Path) -> None:
    report = inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx", encoding=LOSSLESS)
    before, after = pictures(clip), pictures(tmp_path / "out.mkv")
    assert report.frames == report.inpainted == len(after) == FRAMES
    hole = np.zeros((48, 64), bool)
    hole[BOX.slices] = True
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(new[~hole], old[~hole])
        assert (np.abs(new[hole].astype(int) - 128) <= 1).all()
    assert report.backend == "fake"
    assert report.model is not None
    assert report.model["path"] == str(tmp_path / "fake.onnx")
    assert report.fps == pytest.approx(FRAMES / report.seconds)


def test_a_mask_may_be_an_array(clip: Path, network: Any, tmp_path: Path) -> None:
    hole = np.zeros((48, 64), bool)
    hole[BOX.slices] = True
    report = inpaint(clip, tmp_path / "out.mkv", mask=hole, model=tmp_path / "fake.onnx", encoding=LOSSLESS)
    assert report.inpainted == FRAMES
    assert (report.settings["mask"], report.warnings) == ("array of 64x48", ())
    inpaint(clip, tmp_path / "boxed.mkv", boxes=[BOX], model=tmp_path / "fake.onnx", encoding=LOSSLESS)
    assert np.array_equal(pictures(tmp_path / "out.mkv"), pictures(tmp_path / "boxed.mkv"))


def test_the_report_tells_of_the_model_that_was_loaded(clip: Path, network: Any, tmp_path: Path) -> None:
    network.answer = lambda inputs: network.path.unlink(missing_ok=True) or np.full_like(inputs["frames"], 0.5)
    report = inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx", encoding=LOSSLESS)
    assert report.model is not None
    assert report.model["sha256"] == sha256(b"fake").hexdigest()


def test_warnings_reach_the_caller_and_the_report(clip: Path, network: Any, tmp_path: Path) -> None:
    told: list[str] = []
    edge = Box(60, 40, 20, 20)
    report = inpaint(clip, tmp_path / "out", boxes=[edge], model=tmp_path / "fake.onnx", warn=told.append)
    assert len(told) == 1
    assert "partly outside the frame" in told[0]
    assert list(report.warnings) == told


def test_without_a_hole_no_network_is_loaded(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Inpainter", lambda *arguments, **options: pytest.fail("loaded"))
    monkeypatch.setattr(MaskSource, "at", lambda self, index, width, height, time=None: np.zeros((height, width), bool))
    report = inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], encoding=LOSSLESS, warn=lambda line: None)
    assert (report.frames, report.inpainted, report.model, report.backend) == (FRAMES, 0, None, None)
    assert np.array_equal(pictures(tmp_path / "out.mkv"), pictures(clip))


def test_a_run_that_is_stopped_keeps_its_beginning(clip: Path, network: Any, tmp_path: Path) -> None:
    stop = threading.Event()

    def answer(inputs: Any) -> Any:
        if len(network.calls) == 3:  # the network is at work on the third window when the order comes
            stop.set()
            time.sleep(0.5)
        return np.full_like(inputs["frames"], 0.5)

    network.answer = answer
    (tmp_path / "out.mkv").write_bytes(b"older")
    with pytest.raises(InterruptedRunError) as caught:
        inpaint(
            clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx", overwrite=True, encoding=LOSSLESS,
            stop=stop,
        )  # fmt: skip
    kept = pictures(tmp_path / "out.partial.mkv")
    assert f"first {len(kept)} frames are kept" in str(caught.value)
    assert 1 <= len(kept) < FRAMES
    assert (tmp_path / "out.mkv").read_bytes() == b"older"


def test_an_error_leaves_nothing(clip: Path, network: Any, tmp_path: Path) -> None:
    def broken(inputs: Any) -> Any:
        raise MaskError("it broke")

    network.answer = broken
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(MaskError, match="it broke"):
        inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def break_at(frame: int, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the mask of a frame fail."""
    at = MaskSource.at

    def broken(self: MaskSource, index: int, width: int, height: int, time: Fraction | None = None) -> Any:
        if index == frame:
            raise error
        return at(self, index, width, height, time)

    monkeypatch.setattr(MaskSource, "at", broken)
    monkeypatch.setattr(MaskSource, "still", False)


@pytest.mark.parametrize("error", [MaskError("mask 10.png: damaged"), InputError("the size changes")])
def test_an_error_midway_keeps_what_was_finished(
    error: Exception, clip: Path, network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(10, error, monkeypatch)
    with pytest.raises(type(error)) as caught:
        inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx")
    partial = tmp_path / "out.partial.mkv"
    assert caught.value is error
    assert str(error).endswith(f"; the first 10 frames are kept as {partial}")
    assert len(pictures(partial)) == 10
    assert not (tmp_path / "out.mkv").exists()


def test_a_fault_midway_keeps_what_was_finished_and_is_told_as_it_is(
    clip: Path, network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    break_at(10, ZeroDivisionError("fault"), monkeypatch)
    with pytest.raises(ZeroDivisionError, match=r"^fault$"):
        inpaint(clip, tmp_path / "out", boxes=[BOX], model=tmp_path / "fake.onnx", warn=told.append)
    assert told == [f"the first 10 frames are kept as {tmp_path / 'out.partial'}"]
    assert len(list((tmp_path / "out.partial").iterdir())) == 10


def test_nothing_is_kept_where_nothing_was_finished(
    clip: Path, network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(0, MaskError("it broke"), monkeypatch)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(MaskError, match=r"^it broke$"):
        inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_nothing_is_kept_of_an_output_that_cannot_be_written(
    clip: Path, network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(10, OutputError("out: the disk is full"), monkeypatch)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(OutputError, match=r"full$"):
        inpaint(clip, tmp_path / "out", boxes=[BOX], model=tmp_path / "fake.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_cannot_be_is_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the input itself"):
        inpaint(clip, clip, boxes=[BOX], overwrite=True)
    with pytest.raises(InputError, match="nothing to replace"):
        inpaint(clip, tmp_path / "out.mkv")
    with pytest.raises(InputError, match=r"out\.mkv: takes no options of FFmpeg's"):
        inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], encoding=Encoding(options={"movflags": "faststart"}))
    assert not (tmp_path / "out.mkv").exists()


def test_an_output_that_exists_is_refused(clip: Path, network: Any, tmp_path: Path) -> None:
    (tmp_path / "out.mkv").write_bytes(b"older")
    with pytest.raises(OutputExistsError):
        inpaint(clip, tmp_path / "out.mkv", boxes=[BOX], model=tmp_path / "fake.onnx")
    assert (tmp_path / "out.mkv").read_bytes() == b"older"
