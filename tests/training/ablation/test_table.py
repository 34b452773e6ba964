from __future__ import annotations

import math

from ptfan.training.ablation.rows import BUDGET, choose_rows
from ptfan.training.ablation.table import ablation_table
from ptfan.training.evaluation.report import Mean


def test_the_table_by_hand() -> None:
    values = {"psnr_hole": 20.0, "ssim_hole": 0.9, "warp_hole": 0.002, "seconds": 1.0}
    averages = [
        Mean("box", "reference", 2, values),
        Mean("box", "shift", 2, {**values, "psnr_hole": 19.25}),
        Mean("box", "window-8", 2, {**values, "psnr_hole": math.nan}),
    ]
    rows = choose_rows(["shift", "window-8"])
    lines = ablation_table(rows, averages, BUDGET, {"reference": 90.0, "shift": 120.0}).splitlines()
    assert lines[0] == "Each variant: 300 steps of 2 clips, 6 frames of 128x96, seed 0."
    assert (
        lines[2] == "| question | variant | box: PSNR hole | box: SSIM hole | box: warp hole e-3 | trained, minutes |"
    )
    assert lines[4].startswith("| reference | aligned in every stage, ")
    assert lines[4].endswith("| 20.00 | 0.9000 | 2.00 | 1.5 |")
    assert lines[5] == "| alignment | plain temporal shift | 19.25 (-0.75) | 0.9000 | 2.00 | 2.0 |"
    assert lines[6] == "| window | 8 frames | – | 0.9000 | 2.00 | 1.5 |"
