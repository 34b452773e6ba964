"""The commands as users give them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ptfan.engine import cli
from ptfan.engine.commands import batch
from ptfan.engine.media import open_source
from ptfan.engine.pictures.drawing import CROP_COLOUR, TINT

BOX = ("--box", "20,14,16,12")


class TestInpaint:
    def test_a_report_says_what_was_done(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], model: Path, folder: Path
    ) -> None:
        result = inpaint(clip(), *BOX, "--dilate", "2", "--window", "5", "--json", "r.json", "-o", "out.mkv")
        assert result.status == 0
        assert result.out == ""
        assert "out.mkv: 8 frames in" in result.err
        report = json.loads((folder / "r.json").read_text())
        assert (report["frames"], report["inpainted"]) == (8, 8)
        assert set(report["stages"]) == {"decode", "mask", "prepare", "infer", "encode"}
        assert report["settings"]["window"] == 5
        assert report["settings"]["dilate"] == 2
        assert report["settings"]["boxes"] == [{"x": 20, "y": 14, "width": 16, "height": 12}]
        assert report["model"]["spec"]["name"] == "carry"
        assert len(report["model"]["sha256"]) == 64
        assert report["settings"]["flow_completion"] == "learned"
        assert len(report["model"]["flow_sha256"]) == len(report["model"]["colour_sha256"]) == 64

    def test_flow_and_colours_can_be_completed_without_a_network(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path
    ) -> None:
        for what, other in (("flow", "colour"), ("colour", "flow")):
            smooth = inpaint(
                clip(), *BOX, f"--{what}-completion", "smooth", "--json", f"{what}.json", "-o", f"{what}.mkv"
            )
            assert smooth.status == 0
            report = json.loads((folder / f"{what}.json").read_text())
            assert report["settings"][f"{what}_completion"] == "smooth"
            assert f"{what}_sha256" not in report["model"]
            assert f"{other}_sha256" in report["model"]
            wrong = inpaint(clip(), *BOX, f"--{what}-completion", "none", "-o", "other.mkv")
            assert wrong.status == 2
            assert "expected one of learned, smooth" in wrong.err

    def test_several_inputs_get_a_list_of_reports(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path
    ) -> None:
        clip("a.mkv", 3), clip("b.mkv", 4)
        assert inpaint("a.mkv", "b.mkv", *BOX, "--json", "r.json", "-o", "out").status == 0
        assert [report["frames"] for report in json.loads((folder / "r.json").read_text())] == [3, 4]

    def test_a_folder_for_several_inputs_may_be_called_as_a_video(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path
    ) -> None:
        clip("a.mkv", 3), clip("b.mkv", 3)
        (folder / "old.mp4").mkdir()
        for output in ("old.mp4", "new.mp4/"):
            assert inpaint("a.mkv", "b.mkv", *BOX, "-o", output).status == 0
            assert {path.name for path in (folder / output).iterdir()} == {"a.mkv", "b.mkv"}

    def test_of_several_inputs_what_is_done_is_reported_when_the_run_is_stopped(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clip("a.mkv", 3), clip("b.mkv", 4), clip("c.mkv", 4)
        monkeypatch.setattr(batch, "say", lambda line: os.kill(os.getpid(), signal.SIGTERM))
        assert inpaint("a.mkv", "b.mkv", "c.mkv", *BOX, "--json", "r.json", "-o", "out").status == 130
        (report,) = json.loads((folder / "r.json").read_text())
        assert report["output"] == "out/a.mkv"

    def test_quiet_says_nothing(self, inpaint: Callable[..., Any], clip: Callable[..., Path]) -> None:
        result = inpaint(clip(), *BOX, "--quiet", "-o", "out.mkv")
        assert (result.status, result.out, result.err) == (0, "", "")

    def test_an_older_output_is_replaced_when_that_is_wished(
        self, inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path, images: Callable[..., Any]
    ) -> None:
        (folder / "out.mkv").write_bytes(b"older")
        assert inpaint(clip(), *BOX, "--overwrite", "-o", "out.mkv").status == 0
        assert len(images(folder / "out.mkv")) == 8

    def test_all_kinds_of_masks_agree(
        self,
        inpaint: Callable[..., Any],
        clip: Callable[..., Path],
        save_mask: Callable[..., Path],
        images: Callable[..., Any],
        folder: Path,
    ) -> None:
        source, mask = clip(), save_mask()
        (folder / "masks").mkdir()
        for index in range(8):
            save_mask(f"masks/{index}.png")
        with open_source("masks") as pictures, av.open("masks.mkv", "w") as container:
            stream: Any = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
            for sample in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(sample.image[..., 0], format="gray")))
            container.mux(stream.encode(None))
        results = {}
        for name, given in {
            "box": BOX,
            "image": ("--mask", mask),
            "folder": ("--mask", "masks"),
            "video": ("--mask", "masks.mkv"),
        }.items():
            assert inpaint(source, *given, "-o", name).status == 0
            results[name] = np.stack(images(folder / name))
        assert all(np.array_equal(result, results["box"]) for result in results.values())

    def test_y4m_flows_through_pipes(self, clip: Callable[..., Path], model: Path, folder: Path) -> None:
        command = [sys.executable, "-m", "ptfan.engine.cli", "inpaint", *BOX, "--model", str(model), "-q"]
        first = subprocess.run([*command, clip(), "-o", "-"], capture_output=True, check=True)
        assert first.stdout.startswith(b"YUV4MPEG2 W64 H48 ")
        second = subprocess.run([*command, "-", "-o", "-"], input=first.stdout, capture_output=True, check=True)
        assert len(second.stdout) == len(first.stdout)
        assert first.stdout.count(b"FRAME\n") == 8
        assert first.stderr == second.stderr == b""


class TestPreview:
    def test_hole_and_crop_are_drawn(
        self, ptfan: Callable[..., Any], clip: Callable[..., Path], model: Path, images: Callable[..., Any]
    ) -> None:
        source = clip()
        result = ptfan("preview", source, *BOX, "--at", "0.2", "-o", "look.png", "--model", model)
        assert result.status == 0
        assert "look.png: frame 5, 6.2 % to be filled" in result.err
        (drawn,) = images(Path("look.png"))
        assert tuple(drawn[14, 20]) == TINT
        crop = (drawn == CROP_COLOUR).all(-1)
        same = (drawn == images(source)[5]).all(-1)
        same[14:26, 20:36] = True
        assert crop.any()
        assert (same | crop).all()

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            ((*BOX, "--at", "99"), "no frame is shown at 99 s or later; the last one is at "),
            ((*BOX, "--at", "noon"), "time 'noon'"),
            (("--box", "99,0,4,4"), "outside the frame"),
        ],
    )
    def test_mistakes_end_in_one_line(
        self, arguments: tuple[str, ...], what: str, ptfan: Callable[..., Any], clip: Callable[..., Path], model: Path
    ) -> None:
        result = ptfan("preview", clip(), *arguments, "-o", "look.png", "--model", model)
        assert what in result.error
        assert not Path("look.png").exists()

    def test_neither_input_nor_mask_is_written_over(
        self, ptfan: Callable[..., Any], clip: Callable[..., Path], save_mask: Callable[..., Path]
    ) -> None:
        mask, clip_bytes = save_mask(), clip().read_bytes()
        mask_bytes = mask.read_bytes()
        for output, words in (("clip.mkv", "is the input itself"), ("mask.png", "is the mask itself")):
            result = ptfan("preview", "clip.mkv", "--mask", "mask.png", "-o", output, "--overwrite")
            assert f"{output}: {words}; give the picture another name" in result.error
        assert (Path("clip.mkv").read_bytes(), mask.read_bytes()) == (clip_bytes, mask_bytes)

    def test_a_picture_is_what_its_name_says(
        self, ptfan: Callable[..., Any], clip: Callable[..., Path], model: Path
    ) -> None:
        assert ptfan("preview", clip(), *BOX, "-o", "look.jpg", "--model", model).status == 0
        assert Path("look.jpg").read_bytes().startswith(b"\xff\xd8\xff")
        assert (
            "look.gif: has no picture's ending; expected .png or .jpg"
            in ptfan("preview", clip(), *BOX, "-o", "look.gif", "--model", model).error
        )

    def test_without_a_mask_there_are_coordinates(self, ptfan: Callable[..., Any], clip: Callable[..., Path]) -> None:
        result = ptfan("preview", clip(), "-o", "grid.png")
        assert result.status == 0
        assert "grid.png: frame 0, with a grid; name what is to go by --box X,Y,W,H" in result.err
        assert Path("grid.png").read_bytes().startswith(b"\x89PNG")

    def test_it_goes_into_a_pipe(self, clip: Callable[..., Path], model: Path) -> None:
        command = [sys.executable, "-m", "ptfan.engine.cli", "preview", str(clip()), *BOX, "-o", "-"]
        done = subprocess.run([*command, "--model", str(model)], capture_output=True, check=True)
        assert done.stdout.startswith(b"\x89PNG")
        assert b"standard output: frame 0" in done.stderr
        assert not Path("-").exists()

    def test_an_older_picture_stays(self, ptfan: Callable[..., Any], clip: Callable[..., Path]) -> None:
        Path("look.png").write_bytes(b"older")
        assert "--overwrite" in ptfan("preview", clip(), *BOX, "-o", "look.png").error
        assert Path("look.png").read_bytes() == b"older"


def test_info_tells_versions_and_choice(ptfan: Callable[..., Any], model: Path) -> None:
    text = ptfan("info", "--model", model)
    assert text.status == 0
    assert "would use    model carry on onnxruntime" in text.out
    told = json.loads(ptfan("info", "--json", "--model", model).out)
    assert told["choice"]["model"] == str(model)
    assert "CPUExecutionProvider" in told["providers"]


def test_the_demonstration_leaves_video_and_sheet(
    ptfan: Callable[..., Any], model: Path, images: Callable[..., Any]
) -> None:
    result = ptfan("demo", "-o", "results", "--model", model, "--quiet")
    assert (result.status, result.err) == (0, "")
    (sheet,) = images(Path("results/before-after.png"))
    (video,) = {image.shape for image in images(Path("results/bikes.mp4"))}
    assert sheet.shape[1] > 3 * video[1]
    assert "cannot be made" in ptfan("demo", "-o", "results/bikes.mp4", "--model", model).error


class TestHelp:
    @pytest.mark.parametrize("command", ["inpaint", "preview", "demo", "info", "bench"])
    def test_every_command_explains_itself_with_an_example(self, command: str, ptfan: Callable[..., Any]) -> None:
        result = ptfan(command, "--help")
        assert result.status == 0
        assert f"ptfan {command} " in result.out.partition("Example")[2]
        assert max(map(len, result.out.splitlines())) <= int(os.environ.get("COLUMNS", "80"))

    def test_the_program_alone_shows_its_help(self, ptfan: Callable[..., Any]) -> None:
        result = ptfan()
        assert result.status == 0
        assert "inpaint" in result.out

    def test_an_unknown_command_is_refused(self, ptfan: Callable[..., Any]) -> None:
        assert "No such command" in ptfan("paint").error


def test_a_broken_plugin_does_not_take_the_others_along(capfd: pytest.CaptureFixture[str]) -> None:
    plugin = EntryPoint("broken", "ptfan.nonsense:register", cli.PLUGIN_GROUP)
    app = cli.build_app([plugin])
    assert {command.name for command in app.registered_commands} == {
        "inpaint", "preview", "demo", "info", "bench", "build", "stream", "verify",
    }  # fmt: skip
    assert "plugin broken" in capfd.readouterr().err
