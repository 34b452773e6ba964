from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.training.weights import read_weights


class Trap:
    """What an attacker would put into a file."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("code in a file was run",))


def test_both_kinds_of_file_are_read(tmp_path: Path) -> None:
    weights = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    torch.save({**weights, "epoch": 3}, tmp_path / "a.pth")
    save_file(weights, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        read = read_weights(tmp_path / name)
        assert list(read) == ["a", "b"]
        assert all(torch.equal(read[key], value) for key, value in weights.items())


@pytest.mark.parametrize("content", [Trap(), [1, 2]], ids=["code", "list"])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"a\.pth: ") as caught:
        read_weights(tmp_path / "a.pth")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_rubbish_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"rubbish")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        read_weights(tmp_path / name)
    with pytest.raises(InputNotFoundError, match="no such file"):
        read_weights(tmp_path / f"no-{name}")
