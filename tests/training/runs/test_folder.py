from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from ptfan.engine.errors import InputError, InputNotFoundError, OutputError, OutputExistsError
from ptfan.training.generator.config import TrainConfig
from ptfan.training.runs.folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "deep" / "run")
    folder.create(TrainConfig(steps=3), {"data": "videos"})
    return folder


def test_a_new_run_is_written_down(folder: RunFolder) -> None:
    assert TrainConfig.read(folder.config) == TrainConfig(steps=3)
    assert RunFolder.open(folder.path).read_arguments() == {"data": "videos"}
    with pytest.raises(OutputExistsError, match="holds a run already; go on with --resume"):
        folder.check_new()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    RunFolder(tmp_path).check_new()
    with pytest.raises(InputNotFoundError, match=r"holds no run \(there is no config.json\)"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", ""])
def test_arguments_that_cannot_be_read_are_refused(folder: RunFolder, text: str) -> None:
    folder.arguments.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"arguments\.json: .*take a new folder"):
        folder.read_arguments()


def test_the_state_comes_back(folder: RunFolder) -> None:
    assert folder.read_state() is None
    folder.write_state({"step": 2, "weights": torch.arange(3.0)})
    state = folder.read_state()
    assert state is not None
    assert state["step"] == 2
    assert torch.equal(state["weights"], torch.arange(3.0))
    assert [path.name for path in folder.path.glob("state*")] == ["state.pt"]


class SmallDisk(io.BytesIO):
    """Takes 1 MB."""

    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > 1 << 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def test_a_disk_that_becomes_full_is_told_in_one_line(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_state({"step": 1})
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda *_: SmallDisk())
        with pytest.raises(OutputError, match=r"state\.pt: cannot be written: the disk is full"):
            folder.write_state({"step": 2, "weights": {n: torch.zeros(1 << 15) for n in range(20)}})
    assert folder.read_state() == {"step": 1}


class Trap:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("code in a state was run",))


def test_a_state_that_cannot_be_read_is_refused(folder: RunFolder) -> None:
    for content in (b"rubbish", b""):
        folder.state.write_bytes(content)
        with pytest.raises(InputError, match=r"state\.pt: cannot be read as the state of a run"):
            folder.read_state()
    torch.save(Trap(), folder.state)
    with pytest.raises(InputError, match=r"state\.pt: cannot be read"):
        folder.read_state()


def test_entries_after_the_last_state_are_forgotten(folder: RunFolder) -> None:
    folder.forget_after(3)
    for step in (1, 2, 3, 4):
        folder.add_entry({"step": step})
    with folder.log.open("a", encoding="utf-8") as log:
        log.write('{"step": 5, "lo')  # the machine went down
    folder.forget_after(3)
    lines = folder.log.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_every_session_is_noted(folder: RunFolder) -> None:
    folder.add_session({"first_step": 0})
    folder.add_session({"first_step": 2})
    assert json.loads(folder.environment.read_text(encoding="utf-8")) == [{"first_step": 0}, {"first_step": 2}]


def test_kept_checkpoints_sort_by_step(folder: RunFolder) -> None:
    names = [folder.kept(step).name for step in (500, 20000)]
    assert names == sorted(names) == ["step-0000500.safetensors", "step-0020000.safetensors"]
