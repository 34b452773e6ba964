from pathlib import Path

import pytest

from ptfan.engine.errors import BackendError, InputNotFoundError
from ptfan.training.run import progress_line, run_training


def test_the_progress_line_tells_pace_and_time_left() -> None:
    line = progress_line({"step": 50, "seconds": 100.0, "hole": 0.07, "input_hole": 0.08}, steps=2000)
    assert line == "step 50/2000: fill 0.0700, propagated input 0.0800, 2.00 s a step, 1:05:00 left"


@pytest.mark.parametrize(
    ("device", "error"), [("cpu", InputNotFoundError), ("cuda:7", (BackendError, InputNotFoundError))]
)
def test_a_run_that_cannot_start_leaves_nothing(
    tmp_path: Path, device: str, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        run_training(
            data=tmp_path / "none",
            run=tmp_path / "run",
            config=None,
            clips=None,
            cache=None,
            device=device,
            threads=0,
            workers=0,
        )
    assert not (tmp_path / "run").exists()
