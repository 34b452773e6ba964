from __future__ import annotations

import pytest
import torch

from ptfan.engine.errors import BackendError
from ptfan.training.runs.environment import describe_environment
from ptfan.training.runs.fabric import open_fabric


def test_alone_on_the_cpu() -> None:
    fabric = open_fabric()
    assert (fabric.device, fabric.world_size, fabric.global_rank) == (torch.device("cpu"), 1, 0)


def test_bfloat16_where_autocast_allows() -> None:
    layer = torch.nn.Linear(2, 2)
    with open_fabric(precision="bf16").autocast():
        assert layer(torch.ones(1, 2)).dtype == torch.bfloat16
    with open_fabric().autocast():
        assert layer(torch.ones(1, 2)).dtype == torch.float32


@pytest.mark.parametrize(
    ("device", "precision", "reason"),
    [
        ("tpu", "fp32", "device tpu: is none that ptfan trains on; expected cpu, cuda, or cuda:1"),
        ("cpu:1", "fp32", "device cpu:1: is none"),
        ("cuda:x", "fp32", "device cuda:x: is none"),
        ("cuda:99", "fp32", "device cuda:99: torch .* finds [0-9]+ CUDA GPUs; use --device cpu"),
        ("cpu", "fp16", "device cpu: cannot train in fp16; set the precision to fp32"),
    ],
)
def test_devices_that_are_not_there_are_refused(device: str, precision: str, reason: str) -> None:
    with pytest.raises(BackendError, match=reason):
        open_fabric(device, precision)  # type: ignore[arg-type]


def test_the_environment_is_described() -> None:
    told = describe_environment(open_fabric(), seed=4, first_step=7)
    assert told["versions"]["torch"] == torch.__version__
    assert (told["seed"], told["first_step"], told["processes"], told["device"]) == (4, 7, 1, "cpu")
    assert told["processor"]
    assert told["started"].endswith("+00:00")
