"""Latency of the step form in torch: eager or as a CUDA graph, fp32 or fp16, in either memory layout.

    python benchmarks/torch_latency.py [--device cuda] [--size 432x240] [--streams 1 --streams 4] -o FILE

Weights are of the two presets and random, except for checkpoints that are named by --checkpoint. Every variant is
called --calls times after a warm-up; times are between CUDA events (or clock readings on a CPU), of the network alone:
the inputs lie on the device.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from beside.process import exit_status
from ptfan.engine.bench.latency import Latency
from ptfan.engine.commands.values import parse_pixels
from ptfan.engine.machine import describe_machine
from ptfan.export.precision import at_precision
from ptfan.training.checkpoint import build
from ptfan.training.model import Generator, preset
from ptfan.training.model.step import StepGenerator

WARMUP = 5
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all variants and write them down; a user's mistake is told in one line."""
    return exit_status(lambda: _run(_options(arguments)))


def _run(options: argparse.Namespace) -> None:
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    about = describe_machine() | {"torch": torch.__version__}
    if options.device.startswith("cuda"):
        about |= {"gpu": torch.cuda.get_device_name(options.device), "cuda": str(torch.version.cuda)}
    rows = []
    for row in _rows(options):  # written as they come: who stops a long run keeps what there is
        rows.append(row | {"device": options.device})
        if options.output:
            options.output.write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--preset", action="append", help="s or r50; both by default")
    parser.add_argument("--checkpoint", action="append", type=Path, default=[])
    parser.add_argument("--size", action="append", help="WIDTHxHEIGHT; 432x240 and 1280x720 by default")
    parser.add_argument("--streams", action="append", type=int, help="1 and 8 by default")
    parser.add_argument("--precision", action="append", choices=DTYPES, help="both on a GPU, fp32 on a CPU by default")
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--output", "-o", type=Path, help="a JSON file")
    return parser.parse_args(arguments)


def _rows(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    sizes = [parse_pixels(size) for size in options.size or ("432x240", "1280x720")]
    networks = {name: Generator(preset(name)) for name in options.preset or ("s", "r50")}
    networks |= {path.stem: build(path) for path in options.checkpoint}
    precisions = options.precision or (DTYPES if options.device.startswith("cuda") else ("fp32",))
    for (name, network), precision in itertools.product(networks.items(), precisions):
        generator = at_precision(network.eval().to(options.device), precision)
        step = StepGenerator(generator)
        for (width, height), streams in itertools.product(sizes, options.streams or (1, 8)):
            inputs = _inputs(step, streams, height, width)
            for how, call in _variants(step, inputs).items():
                latency = Latency.of(_times(call, options.calls))
                row = {"network": name, "precision": precision, "size": f"{width}x{height}", "streams": streams}
                print(row | {"how": how}, f"median {latency.median:.3f} ms, p99 {latency.p99:.3f} ms", flush=True)
                yield row | {"how": how} | asdict(latency)
        network.float()


def _inputs(step: StepGenerator, streams: int, height: int, width: int) -> list[Tensor]:
    """Return random values for all that a step takes: pictures, a hole, a smooth flow, and what is carried."""
    parameter = next(step.parameters())
    device, dtype = parameter.device, parameter.dtype
    frames = torch.rand(streams, 3, height, width, device=device, dtype=dtype)
    plane = torch.rand(streams, 1, height, width, device=device)
    flow = torch.nn.functional.interpolate(
        8 * torch.randn(streams, 2, height // 8, width // 8, device=device), (height, width), mode="bilinear"
    )
    valid = (plane > 0.1).to(dtype)
    live = torch.ones(streams, step.lookahead + 2, device=device)
    hole, guidance = (plane < 0.1).to(dtype), plane.to(dtype)
    past = [
        0.1 * torch.randn(item.shape(streams, height, width), device=device, dtype=DTYPES[item.precision])
        for item in step.carried
        for _ in item.delays
    ]
    return [frames, hole, guidance, flow, -flow, valid, valid, live, *past]


def _variants(step: StepGenerator, inputs: list[Tensor]) -> dict[str, Callable[[], object]]:
    def eager() -> object:
        with torch.inference_mode():
            return step(*inputs)

    if inputs[0].device.type != "cuda":
        return {"eager": eager}
    # NHWC is what tensor cores read; weights follow their inputs.
    last = [value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value for value in inputs]

    def channels_last() -> object:
        with torch.inference_mode():
            return step(*last)

    return {
        "eager": eager,
        "channels last": channels_last,
        "graph": _graph(step, inputs),
        "channels last, graph": _graph(step, last),
    }


def _graph(step: StepGenerator, inputs: list[Tensor]) -> Callable[[], None]:
    """Return a replay of the step as one CUDA graph."""
    with torch.inference_mode():
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step(*inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step(*inputs)
    return graph.replay


def _times(call: Callable[[], object], calls: int) -> list[float]:
    """Return the seconds of each call, the first ones left out."""
    for _ in range(WARMUP):
        call()
    if not torch.cuda.is_available():
        marks = [time.perf_counter()]
        for _ in range(calls):
            call()
            marks.append(time.perf_counter())
        return [after - before for before, after in itertools.pairwise(marks)]
    seconds = []
    for _ in range(calls):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        begin.record()
        call()
        end.record()
        end.synchronize()
        seconds.append(begin.elapsed_time(end) / 1e3)
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
