from __future__ import annotations

from dataclasses import replace

from tests.engine.reports import REPORT


def test_the_summary_tells_of_frames_without_a_hole() -> None:
    assert REPORT.summary == "b.mp4: 50 frames in 2.0 s (25.0 frames/s)"
    by_gpu = replace(REPORT, backend="onnxruntime-cuda (GPU 0)")
    assert by_gpu.summary == "b.mp4: 50 frames in 2.0 s (25.0 frames/s) by onnxruntime-cuda (GPU 0)"
    assert "50 frames, 20 of them without a hole, in" in replace(REPORT, inpainted=30).summary
