from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ptfan.engine.errors import InputError
from ptfan.training.evaluation.columns import COLUMNS
from ptfan.training.evaluation.measures import Weights, choose_measures
from ptfan.training.evaluation.methods import telea
from ptfan.training.evaluation.metrics.i3d import I3D
from ptfan.training.evaluation.metrics.psnr import psnr
from ptfan.training.evaluation.metrics.ssim import ssim
from ptfan.training.evaluation.metrics.warping import field_warping_error, warping_error
from ptfan.training.evaluation.task import Task


def tolerant_weights(path: Path) -> Path:
    """Write weights in the format of ST-LPIPS's AlexNet."""
    shapes = [("slice1.0", 64, 3, 11), ("slice2.5", 192, 64, 5), ("slice3.9", 384, 192, 3)]
    shapes += [("slice4.11", 256, 384, 3), ("slice5.13", 256, 256, 3)]
    state = {"net.slice1.1.filt": torch.zeros(64, 1, 3, 3)}
    for index, (name, outputs, inputs, kernel) in enumerate(shapes):
        state[f"net.{name}.weight"] = torch.full((outputs, inputs, kernel, kernel), 0.01)
        state[f"net.{name}.bias"] = torch.arange(outputs) / outputs
        state[f"lin{index}.model.1.weight"] = torch.ones(1, outputs, 1, 1)
    torch.save(state, path)
    return path


def test_the_default_figures_are_means_over_frames_with_a_hole(task: Task) -> None:
    measures = choose_measures(None, Weights())
    result = telea(task.truth, task.holes)
    values = measures(task, result)
    assert measures.names == ("psnr", "ssim", "warp")
    assert task.counted == [0, 1, 2, 3, 4]
    expected = {
        "psnr": np.mean([psnr(result[t], task.truth[t]) for t in range(5)]),
        "psnr_hole": np.mean([psnr(result[t], task.truth[t], task.holes[t]) for t in range(5)]),
        "ssim": np.mean([ssim(result[t], task.truth[t], 65) for t in range(5)]),
        "warp": field_warping_error(result, task.footage.flows),
        "warp_hole": warping_error(result, task.holes, task.footage.flows),
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)
    assert set(values) == {*expected, "ssim_hole"} <= set(COLUMNS)
    assert values["psnr"] > values["psnr_hole"] + 5


def test_pictures_too_small_for_the_field_s_window_have_no_such_figure(task: Task) -> None:
    small = Task(
        type(task.footage)("small", tuple(f[:60, :60] for f in task.truth)),
        "box",
        tuple(h[:60, :60] for h in task.holes),
    )
    values = choose_measures(["ssim"], Weights())(small, list(small.truth))
    assert values == {"ssim_hole": pytest.approx(1.0)}


def test_a_clip_without_holes_has_nothing_to_measure(task: Task) -> None:
    whole = Task(task.footage, "none", tuple(hole & False for hole in task.holes))
    values = choose_measures(["psnr", "warp"], Weights())(whole, list(task.truth))
    assert math.isnan(values["psnr_hole"])
    assert math.isnan(values["psnr"])
    assert math.isnan(values["warp_hole"])


def test_weights_bring_their_metrics(task: Task, tmp_path: Path) -> None:
    st_lpips, i3d = tolerant_weights(tmp_path / "st.pth"), tmp_path / "i3d.pt"
    torch.save(I3D().state_dict(), i3d)
    measures = choose_measures(None, Weights(st_lpips=str(st_lpips), i3d=i3d, every=3))
    assert measures.names == ("psnr", "ssim", "warp", "st-lpips", "vfid")
    assert measures.i3d is not None
    chosen = choose_measures(["st-lpips"], Weights(st_lpips=str(st_lpips), i3d=i3d, every=3))
    assert chosen.i3d is None
    result = telea(task.truth, task.holes)
    sparse = chosen(task, result)
    assert set(sparse) == {"st_lpips", "st_lpips_hole"}
    assert sparse["st_lpips_hole"] > sparse["st_lpips"] > 0
    dense = choose_measures(["st-lpips"], Weights(st_lpips=str(st_lpips)))
    two = Task(task.footage, "box", tuple(h if t in (0, 3) else h & False for t, h in enumerate(task.holes)))
    assert dense(two, result) == pytest.approx(sparse)
    assert dense.identity != chosen.identity


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="metric 'beauty' is not known, expected some of psnr, ssim"):
        choose_measures(["beauty"], Weights())
    with pytest.raises(InputError, match="metric vfid: its weights are not given; name their file with --i3d"):
        choose_measures(["psnr", "vfid"], Weights())
    st_lpips = str(tolerant_weights(tmp_path / "st.pth"))
    with pytest.raises(InputError, match=r"metric LPIPS: .*st\.pth holds the network of ST-LPIPS"):
        choose_measures(None, Weights(lpips=st_lpips))
    with pytest.raises(InputError, match="every 0th frame"):
        Weights(every=0)
