"""What the tables say, and what they leave out."""

from __future__ import annotations

import pytest

from ptfan.engine.bench.network import NetworkResult
from ptfan.engine.bench.report import MIXED, bench_tables
from ptfan.engine.bench.result import BenchResult
from ptfan.engine.bench.work import Pace
from tests.engine.bench.network_result import network_result


def network(numbers: str = "fp32", backend: str = "onnxruntime (CPU)") -> NetworkResult:
    return network_result(f"s in {numbers}", (0.02, 0.02, 0.02), numbers=numbers, backend=backend)


def result(*networks: NetworkResult) -> BenchResult:
    machine = dict.fromkeys(("processor", "cores", "date", "clock", "load before"), "any")
    pace = Pace(flop_per_second=1e11, bytes_per_second=1e10)
    return BenchResult(machine=machine, pace=pace, settings={}, networks=networks)


@pytest.mark.parametrize(
    ("measured", "floor"),
    [
        (network(), 10.0),
        (network("fp16"), 10.0),
        (network("int8"), None),
        (network(backend="openvino-bf16 (CPU)"), None),
        (network(backend="onnxruntime (CUDA)"), None),
    ],
)
def test_the_floor_is_told_of_what_the_pace_was_measured_with(measured: NetworkResult, floor: float | None) -> None:
    assert result(measured).floor_ms(measured) == (None if floor is None else pytest.approx(floor))


def test_a_cell_without_a_floor_is_empty() -> None:
    rows = bench_tables(result(network(), network("int8"))).splitlines()
    assert "| s in fp32 | 1.00 | 1.0 | 50 | 10.0 | 20.0 | 2.0 |" in rows
    assert "| s in int8 | 1.00 | 1.0 | 50 | - | 20.0 | - |" in rows


def test_different_numbers_are_told_of_below_the_ratios() -> None:
    assert f"\n{MIXED} (fp32, int8): " in bench_tables(result(network(), network("int8")))
    assert MIXED not in bench_tables(result(network(), network()))
