"""Whatever is wrong with what a user gives: one line, exit status 2, and no file is touched."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfan.engine.atomic import output_error
from ptfan.engine.media.folder_sink import FolderSink
from ptfan.engine.spec import METADATA_KEY

BOX = ("--box", "20,14,16,12")


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with what is in it, and every folder."""
    found = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


@pytest.fixture
def refused(inpaint: Callable[..., Any], folder: Path) -> Callable[..., str]:
    """Return a function that runs `ptfan inpaint`, which must fail and change nothing; it returns the error."""

    def run(*arguments: object) -> str:
        before = contents(folder)
        error: str = inpaint(*arguments).error
        assert contents(folder) == before
        return error

    return run


class TestVideos:
    def test_a_device_that_decodes_nothing_here(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        error = refused(clip(), *BOX, "--hwaccel", "abacus", "-o", "out.mkv")
        assert "hwaccel 'abacus': no decoder of this FFmpeg" in error

    def test_a_missing_file(self, refused: Callable[..., str]) -> None:
        assert "none.mp4: no such file or folder" in refused("none.mp4", *BOX, "-o", "out.mkv")

    def test_a_rate_that_is_none_or_not_for_it(
        self, refused: Callable[..., str], inpaint: Callable[..., Any], clip: Callable[..., Path]
    ) -> None:
        assert inpaint(clip(), *BOX, "-o", "frames").status == 0
        assert "rate 30 is for folders of images" in refused(clip(), *BOX, "--rate", "30", "-o", "out.mkv")
        assert "rate is often, expected frames a second" in refused("frames", *BOX, "--rate", "often", "-o", "out.mkv")

    @pytest.mark.parametrize("name", ["notes.txt", "notes.mp4"])
    def test_a_file_that_is_no_video(self, name: str, refused: Callable[..., str], folder: Path) -> None:
        (folder / name).write_text("Dear diary,\nno video today.\n" * 50)
        assert "not a video" in refused(name, *BOX, "-o", "out.mkv")

    def test_an_empty_file(self, refused: Callable[..., str], folder: Path) -> None:
        (folder / "empty.mp4").touch()
        assert "empty.mp4" in refused("empty.mp4", *BOX, "-o", "out.mkv")

    def test_an_empty_folder(self, refused: Callable[..., str], folder: Path) -> None:
        (folder / "frames").mkdir()
        assert "frames" in refused("frames", *BOX, "-o", "out.mkv")

    def test_a_folder_of_videos(self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path) -> None:
        (folder / "clips").mkdir()
        (folder / "clips" / "notes.txt").touch()
        clip("clips/a.MKV")
        assert "clips: holds videos, no images; give clips/*" in refused("clips", *BOX, "-o", "out")

    def test_a_file_cut_before_its_first_frame(
        self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path
    ) -> None:
        (folder / "cut.mp4").write_bytes(clip("whole.mp4", codec="libx264").read_bytes()[:200])
        assert "cut.mp4" in refused("cut.mp4", *BOX, "-o", "out.mkv")

    def test_a_file_cut_in_the_middle_gives_what_it_holds(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], images: Callable[..., Any], folder: Path
    ) -> None:
        whole = clip("whole.mkv", 40).read_bytes()
        (folder / "cut.mkv").write_bytes(whole[: len(whole) // 2])
        result = inpaint("cut.mkv", *BOX, "-o", "out")
        assert result.status == 0
        assert any("cut short" in line for line in result.warnings)
        assert 10 <= len(images(folder / "out")) < 40

    def test_a_span_outside_the_video(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        assert "no frame is shown at 9 s or later" in refused(clip(), *BOX, "--start", "9", "-o", "out.mkv")
        assert "nothing is left" in refused(clip(), *BOX, "--start", "2", "--end", "1", "-o", "out.mkv")


class TestMasks:
    def test_none(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        assert "nothing to replace: give a mask (--mask FILE), a box" in refused(clip(), "-o", "out.mkv")

    def test_a_missing_one(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        assert "none.png: no such file" in refused(clip(), "--mask", "none.png", "-o", "out.mkv")

    def test_one_that_cannot_be_read(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        path = clip()
        Path("mask.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
        assert "mask.png" in refused(path, "--mask", "mask.png", "-o", "out.mkv")

    def test_one_of_no_pixels_copies_the_video_and_says_so(
        self,
        inpaint: Callable[..., Any],
        clip: Callable[..., Path],
        save_mask: Callable[..., Path],
        images: Callable[..., Any],
        folder: Path,
    ) -> None:
        source, mask = clip(), save_mask(mask=np.zeros((48, 64), bool))
        result = inpaint(source, "--mask", mask, "--codec", "ffv1", "-o", "out.mkv")
        assert result.status == 0
        assert len([line for line in result.warnings if "no pixels" in line]) == 1
        assert np.array_equal(images(folder / "out.mkv"), images(source))

    def test_a_sequence_of_no_pixels_copies_the_video_and_says_so(
        self,
        inpaint: Callable[..., Any],
        clip: Callable[..., Path],
        save_mask: Callable[..., Path],
        images: Callable[..., Any],
        folder: Path,
    ) -> None:
        (folder / "masks").mkdir()
        for index in range(8):
            save_mask(f"masks/{index}.png", np.zeros((48, 64), bool))
        result = inpaint(clip(), "--mask", "masks", "-o", "out")
        assert result.status == 0
        assert any("no pixels in any frame" in line for line in result.warnings)
        assert np.array_equal(images(folder / "out"), images(folder / "clip.mkv"))

    def test_a_sequence_that_is_too_short_is_refused_before_the_work(
        self, refused: Callable[..., str], clip: Callable[..., Path], save_mask: Callable[..., Path], folder: Path
    ) -> None:
        (folder / "masks").mkdir()
        for index in range(5):
            save_mask(f"masks/{index}.png")
        assert "5 masks, one a frame, for 8 frames" in refused(clip(), "--mask", "masks", "-o", "out.mkv")

    def test_a_sequence_that_is_too_long_is_a_warning(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], save_mask: Callable[..., Path], folder: Path
    ) -> None:
        (folder / "masks").mkdir()
        for index in range(11):
            save_mask(f"masks/{index}.png")
        result = inpaint(clip(), "--mask", "masks", "-o", "out.mkv")
        assert result.status == 0
        assert any("the last 3 are not used" in line for line in result.warnings)

    @pytest.mark.parametrize(
        ("box", "what"),
        [("64,0,5,5", "outside the frame"), ("1,2,3", "expected X,Y,W,H"), ("1,2,0,4", "no pixels in it")],
    )
    def test_a_box_that_is_none(
        self, box: str, what: str, refused: Callable[..., str], clip: Callable[..., Path]
    ) -> None:
        assert what in refused(clip(), "--box", box, "-o", "out.mkv")


class TestOutputs:
    @pytest.mark.parametrize("name", ["none/out.mkv", "none/out/"])
    def test_a_folder_that_is_not_there(
        self, name: str, refused: Callable[..., str], clip: Callable[..., Path]
    ) -> None:
        assert "does not exist" in refused(clip(), *BOX, "-o", name)

    def test_one_that_exists(self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path) -> None:
        (folder / "out.mkv").write_bytes(b"older")
        assert "--overwrite" in refused(clip(), *BOX, "-o", "out.mkv")
        (folder / "frames").mkdir()
        (folder / "frames" / "000000.png").write_bytes(b"older")
        assert "--overwrite" in refused(clip(), *BOX, "-o", "frames")

    def test_the_input_itself(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        assert "is the input itself" in refused(clip(), *BOX, "--overwrite", "-o", "clip.mkv")

    @pytest.mark.parametrize(
        ("output", "words"),
        [
            ("proj", "proj: contains the input proj/frames; give the output another name"),
            ("proj/frames", "is the input itself"),
            ("proj/masks", "proj/masks: is the mask itself; give the output another name"),
            (".", "contains the input"),
            (
                "proj/other",
                "holds clip.mkv, and only a folder with nothing but frames of ptfan's, such as 000000.png, is",
            ),
        ],
    )
    def test_a_folder_with_what_was_given_or_anything_else(
        self,
        output: str,
        words: str,
        inpaint: Callable[..., Any],
        refused: Callable[..., str],
        clip: Callable[..., Path],
        save_mask: Callable[..., Path],
        folder: Path,
    ) -> None:
        (folder / "proj" / "masks").mkdir(parents=True)
        (folder / "proj" / "other").mkdir()
        clip("proj/other/clip.mkv")
        for index in range(8):
            save_mask(f"proj/masks/{index:06d}.png")
        assert inpaint("proj/other/clip.mkv", *BOX, "-o", "proj/frames").status == 0
        assert words in refused("proj/frames", "--mask", "proj/masks", "-o", output, "--overwrite")

    def test_the_mask_itself(
        self, refused: Callable[..., str], clip: Callable[..., Path], save_mask: Callable[..., Path]
    ) -> None:
        mask = clip("mask.mkv")
        assert "is the mask itself" in refused(clip(), "--mask", mask, "-o", "mask.mkv", "--overwrite")

    @pytest.mark.parametrize("report", ["clip.mkv", "out.mkv", "mask.png"])
    def test_a_report_in_the_way(
        self, report: str, refused: Callable[..., str], clip: Callable[..., Path], save_mask: Callable[..., Path]
    ) -> None:
        error = refused(clip(), "--mask", save_mask(), "-o", "out.mkv", "--json", report, "--overwrite")
        assert f"{report}: is the " in error
        assert "itself; give the report another name" in error

    def test_one_of_several_inputs(self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path) -> None:
        (folder / "y").mkdir()
        clip(), clip("y/other.mkv")
        error = refused("clip.mkv", "y/other.mkv", *BOX, "-o", "y", "--overwrite")
        assert "y/other.mkv: is the input itself" in error
        assert "is the input itself" in refused("clip.mkv", "y/other.mkv", *BOX, "-o", ".", "--overwrite")

    @pytest.mark.parametrize("ending", ["mp4", "MKV", "y4m"])
    def test_a_video_for_several_inputs(self, ending: str, refused: Callable[..., str]) -> None:
        error = refused("a.mkv", "b.mkv", *BOX, "-o", f"many.{ending}")
        expected = "several inputs (a.mkv, b.mkv) need a folder for their results; give many/ for instance"
        assert f"many.{ending}: {expected}" in error
        error = refused(*"12345", *BOX, "-o", f"many.{ending}")
        assert "several inputs (1, 2, 3, 4 and more) need" in error

    def test_a_report_in_a_folder_that_cannot_be_written_to(
        self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "sealed").mkdir()
        access = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "sealed" and access(path, mode))
        error = refused(clip(), *BOX, "--json", "sealed/r.json", "-o", "out.mkv")
        assert "sealed/r.json: its folder sealed cannot be written to" in error

    def test_a_report_that_exists(self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path) -> None:
        (folder / "r.json").write_text("older")
        assert "r.json: exists already" in refused(clip(), *BOX, "--json", "r.json", "-o", "out.mkv")

    def test_an_unknown_ending_or_codec(self, refused: Callable[..., str], clip: Callable[..., Path]) -> None:
        assert "no video's ending" in refused(clip(), *BOX, "-o", "out.xyz")
        assert "no such video encoder" in refused(clip(), *BOX, "--codec", "none", "-o", "out.mkv")

    def test_a_file_that_grows_past_the_limit(
        self, refused: Callable[..., str], clip: Callable[..., Path], folder: Path
    ) -> None:
        clip(frames=60)
        (folder / "out.mkv").write_bytes(b"older")
        with largest_file(30_000):
            error = refused("clip.mkv", *BOX, "--codec", "ffv1", "--overwrite", "-o", "out.mkv")
        assert "out.mkv: cannot be written" in error

    def test_a_full_disk(
        self, refused: Callable[..., str], clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clip()
        write = FolderSink.write

        def fill_up(self: FolderSink, sample: Any, frame: Any) -> None:
            if sample.index == 5:
                raise output_error(Path("out"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            write(self, sample, frame)

        monkeypatch.setattr(FolderSink, "write", fill_up)
        assert "the disk is full" in refused("clip.mkv", *BOX, "-o", "out")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow past a number of bytes, as a full disk would not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestModels:
    @pytest.fixture
    def given(self, ptfan: Callable[..., Any], clip: Callable[..., Path], folder: Path) -> Callable[..., str]:
        """Return a function that inpaints with a model, which must be refused; it returns the error."""
        clip()

        def run(model: object, *arguments: object) -> str:
            before = contents(folder)
            error: str = ptfan("inpaint", "clip.mkv", *BOX, "-o", "out.mkv", "--model", model, *arguments).error
            assert contents(folder) == before
            return error

        return run

    def test_a_missing_one(self, given: Callable[..., str]) -> None:
        assert "neither a file nor a model of this package" in given("none.onnx")

    def test_a_file_that_is_none(self, given: Callable[..., str], folder: Path) -> None:
        (folder / "m.onnx").write_bytes(b"this is no network")
        assert "expected an ONNX file" in given("m.onnx")

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            (None, "has no ptfan spec"),
            ("{", "is no JSON"),
            ('{"name": "m", "window": 4, "stride": 9, "lookahead": 1}', "stride is 9"),
            ('{"name": "m", "window": 9, "stride": 4, "lookahead": 1, "version": 99}', "version 99"),
            ('{"name": "m", "window": 9, "stride": 4, "lookahead": 1, "form": "step"}', "form"),
        ],
    )
    def test_one_whose_spec_does_not_fit(
        self, text: str | None, what: str, given: Callable[..., str], model: Path, folder: Path
    ) -> None:
        onnx = pytest.importorskip("onnx")
        loaded = onnx.load(model)
        del loaded.metadata_props[:]
        if text is not None:
            onnx.helper.set_model_props(loaded, {METADATA_KEY: text})
        onnx.save(loaded, folder / "m.onnx")
        assert what in given("m.onnx")

    @pytest.mark.parametrize(
        ("option", "value", "what"),
        [
            ("--window", "0", "window is 0"),
            ("--stride", "7", "stride is 7"),
            ("--size", "wide", "expected WxH or native"),
            ("--size", "8x8", "expected 16x16 or more"),
            ("--backend", "abacus", "abacus"),
            ("--threads", "-1", "threads is -1"),
            ("--dilate", "-1", "dilate is -1"),
            ("--dilate", "much", "--dilate"),
            ("--quality", "52", "quality is 52"),
            ("--start", "soon", "time 'soon'"),
            ("--sizes", "1", "No such option"),
        ],
    )
    def test_an_option_out_of_range(
        self, option: str, value: str, what: str, given: Callable[..., str], model: Path
    ) -> None:
        assert what in given(model, option, value)


def test_of_several_inputs_a_bad_one_does_not_keep_the_others(
    inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path
) -> None:
    clip("a.mkv"), clip("b.mkv")
    result = inpaint("a.mkv", "none.mkv", "b.mkv", *BOX, "-o", "out")
    assert "none.mkv" in next(line for line in result.err.splitlines() if "error" in line)
    assert result.err.count("ptfan: error: ") == 1
    assert result.status == 2
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a.mkv", "b.mkv"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("--box", "1e1,2,3,4"), ("--backend", "x"), ("--size", "x"), ("--colour-completion", "x"), ("--start", "x")],
)
def test_a_bad_option_leaves_no_folder(option: str, value: str, refused: Callable[..., str]) -> None:
    assert value in refused("a.mkv", "b.mkv", *BOX, option, value, "-o", "out")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("-", "a.mkv", "-o", "out"), "one pipe"),
        (("a.mkv", "x/a.mkv", "-o", "out"), "two inputs have this name"),
        (("a.mkv",), "--output"),
        ((), "INPUT"),
    ],
)
def test_a_command_line_that_makes_no_sense(arguments: tuple[str, ...], what: str, refused: Callable[..., str]) -> None:
    assert what in refused(*arguments, *BOX)
