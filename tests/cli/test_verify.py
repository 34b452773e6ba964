"""`ptfan verify` from the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ptfan.engine.models import find_model

pytest.importorskip("onnxruntime")


@pytest.fixture
def shifted(model: Path, folder: Path) -> Callable[[float], Path]:
    """Return a function that writes the small network with something added to its answer."""
    onnx = pytest.importorskip("onnx")

    def write(value: float) -> Path:
        changed = onnx.load(model)
        (node,) = changed.graph.node
        node.output[0] = "plain"
        changed.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(value), "value"))
        changed.graph.node.append(onnx.helper.make_node("Add", ["plain", "value"], ["fill"]))
        path = folder / "shifted.onnx"
        onnx.save(changed, path)
        return path

    return write


def test_two_that_differ_a_little(
    ptfan: Callable, model: Path, shifted: Callable, clip: Callable, save_mask: Callable, folder: Path
) -> None:
    done = ptfan(
        "verify", shifted(0.001), "--against", model, "--clip", clip(), "--mask", save_mask(), "--window", "5",
        "-o", "worst.png", "--json", "found.json",
    )  # fmt: skip
    assert done.status == 0, done
    assert done.out.startswith("shifted.onnx (carry, clip form, fp32, onnxruntime (CPU, ")
    assert "8 frames, 8 with a hole; windows of 5" in done.out
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert found["passed"] is True
    assert found["hole"]["worst"] == pytest.approx(0.001, rel=1e-3)
    assert found["hole"]["psnr"] == pytest.approx(60, abs=0.1)
    share = 16 * 12 / (64 * 48)
    assert found["whole"]["mean"] == pytest.approx(0.001 * share, rel=1e-3)
    assert found["whole"]["psnr"] == pytest.approx(60 - 10 * math.log10(share), abs=0.1)
    assert [found[side]["spec"]["name"] for side in ("model", "reference")] == ["carry", "carry"]
    picture = cv2.imread(str(folder / "worst.png"))
    assert picture is not None
    assert picture.shape[1] > 3 * 240


def test_two_that_differ_much_end_with_status_1(
    ptfan: Callable, model: Path, shifted: Callable, clip: Callable, save_mask: Callable, folder: Path
) -> None:
    asked = ("verify", shifted(0.01), "--against", model, "--clip", clip(), "--mask", save_mask(), "--quiet")
    done = ptfan(*asked, "--json", "found.json")
    assert done.status == 1
    assert done.err == "ptfan: error: PSNR in the hole is 40.0 dB, expected 45 dB or more\n"
    assert json.loads((folder / "found.json").read_text(encoding="utf-8"))["passed"] is False
    assert ptfan(*asked, "--least-psnr", "39").status == 0


def test_equal_answers_can_be_asked_for(
    ptfan: Callable, model: Path, shifted: Callable, clip: Callable, save_mask: Callable, folder: Path
) -> None:
    asked = ("--against", model, "--clip", clip(), "--mask", save_mask(), "--least-psnr", "inf", "--quiet")
    assert ptfan("verify", shifted(0.0), *asked, "--json", "found.json").status == 0
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert (found["passed"], found["least_psnr"], found["hole"]["psnr"]) == (True, None, None)
    done = ptfan("verify", shifted(0.001), *asked)
    assert done.status == 1
    assert done.err == "ptfan: error: PSNR in the hole is 60.0 dB, expected inf dB or more\n"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_answer_that_is_no_number_never_passes(
    ptfan: Callable, model: Path, shifted: Callable, clip: Callable, save_mask: Callable, folder: Path, value: float
) -> None:
    done = ptfan(
        "verify", shifted(value), "--against", model, "--clip", clip(), "--mask", save_mask(), "--least-psnr", "-999",
        "--json", "found.json", "-o", "worst.png", "--frames", "3", "--quiet",
    )  # fmt: skip
    assert done.status == 1, done
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert (found["frames"], found["passed"], found["hole"]["worst"]) == (3, False, None)


def test_the_demo_and_the_packages_own_file_are_the_defaults(ptfan: Callable, folder: Path) -> None:
    (folder / "s.onnx").write_bytes(find_model("s").read_bytes())
    done = ptfan("verify", "s.onnx", "--frames", "4", "--quiet")
    assert done.status == 0, done
    assert "against s.onnx (s, step form" in done.out
    assert "in the hole       0.00e+00      0.00e+00      inf dB" in done.out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("none-such",), "none-such"),
        (("s",), "would be compared with itself"),
        (("s", "--against", "s-window", "--clip", "a.mp4"), "both --clip and --mask"),
        (("s", "--against", "s-window", "--backend", "no"), "backend 'no'"),
        (("s", "--against", "s-window", "--least-psnr", "nan"), "least PSNR is nan, expected a number of dB"),
        (("s", "--against", "s-window", "--against-backend", "no"), "backend 'no'"),
        (("s", "--against", "s-window", "--json", "nowhere/found.json"), "its folder nowhere does not exist"),
        (("s", "--clip", "a.mp4", "--mask", "m", "--json", "m", "--overwrite"), "m: is the mask itself"),
    ],
)
def test_what_cannot_be_compared_is_one_line(ptfan: Callable, arguments: Any, what: str) -> None:
    assert what in ptfan("verify", *arguments).error


def test_a_clip_without_a_hole_is_one_line(ptfan: Callable, clip: Callable, save_mask: Callable) -> None:
    mask = save_mask(mask=np.zeros((48, 64), bool))
    done = ptfan("verify", "s", "--against", "s-window", "--clip", clip(), "--mask", mask, "--quiet")
    assert "has no hole in 8 frames" in done.error
