import json

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from ptfan.engine.cli import build_app, main
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training.evaluation import evaluate, tasks
from ptfan.training.report import markdown_table


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two short clips, and the masks of an object beside each."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(2):
        texture = cv2.GaussianBlur(np.random.default_rng(number).random((72, 160, 3)), (0, 0), 3.0)
        texture = np.uint8(255 * (texture - texture.min()) / np.ptp(texture))
        with av.open(str(folder / f"clip{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "8"})
            stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
            for t in range(5):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(texture[:, 3 * t : 3 * t + 128]))
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        masks = folder / f"clip{number}_mask"
        masks.mkdir()
        for t in range(3):
            mask = np.zeros((72, 128), np.uint8)
            cv2.circle(mask, (40 + 5 * t, 30), 9, 255, -1)
            cv2.imwrite(str(masks / f"{t:05d}.png"), mask)
    return folder


def test_tasks_are_every_clip_with_every_hole_and_always_the_same(clips):
    first, second = (list(tasks(clips, frames=4)) for _ in range(2))
    assert [(task.clip, task.kind) for task in first] == [
        (clip, kind) for clip in ("clip0", "clip1") for kind in ("box", "text", "object")
    ]
    for task, again in zip(first, second, strict=True):
        assert len(task.truth) == len(task.holes) == 4
        np.testing.assert_array_equal(task.holes, again.holes)
        assert all(0.01 < hole.mean() < 0.3 for hole in task.holes)


def test_objects_move_and_run_back_when_their_masks_end(clips):
    task = next(iter(tasks(clips, frames=5, kinds=["object"])))
    assert (task.holes[0] != task.holes[1]).any()
    np.testing.assert_array_equal(task.holes[1], task.holes[3])
    np.testing.assert_array_equal(task.holes[0], task.holes[4])


def test_a_method_that_knows_the_truth_scores_best(clips):
    methods = {
        "truth": lambda images, holes: list(images),
        "black": lambda images, holes: [np.where(h[..., None], 0 * i, i) for i, h in zip(images, holes, strict=True)],
    }
    seen = []
    scores = evaluate(tasks(clips, frames=3, kinds=["box"]), methods, finished=lambda task, results: seen.append(task))
    assert len(seen) == 2
    truth, black = scores[:2]
    assert truth.psnr_hole == np.inf
    assert black.psnr_hole < 15 < black.psnr_frame
    assert "| truth | inf / " in markdown_table(scores)


def test_errors_name_what_is_missing(tmp_path, clips):
    with pytest.raises(InputNotFoundError, match="not a folder"):
        next(tasks(tmp_path / "none", frames=2))
    with pytest.raises(InputError, match="no video"):
        next(tasks(tmp_path, frames=2))
    (tmp_path / "clip0.mp4").symlink_to(clips / "clip0.mp4")
    with pytest.raises(InputError, match="NAME_mask"):
        next(tasks(tmp_path, frames=2, kinds=["object"]))


def test_the_command_writes_scores_and_a_sheet(tmp_path, clips):
    arguments = ["eval", "--data", clips, "--baseline", "telea", "--kinds", "box", "--frames", "3", "-o", tmp_path]
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert {score["method"] for score in scores} == {"telea"}
    assert "| telea |" in (tmp_path / "scores.md").read_text()
    sheet = cv2.imread(str(tmp_path / "sheet.jpg"))
    assert sheet is not None
    assert sheet.shape[1] == 3 * (128 + 4)


def test_the_command_refuses_what_it_does_not_know(tmp_path, clips, capsys):
    common = ["eval", "--data", str(clips), "-o", str(tmp_path / "report")]
    assert main([*common, "--baseline", "magic"]) == 2
    assert "expected one of telea, propagation" in capsys.readouterr().err
    assert main(common) == 2
    assert "--model or --baseline" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
