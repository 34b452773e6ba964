"""The method's published code beside ptfan: the same weights, whether the answers are the same, and what a frame takes.

    git clone https://github.com/MaureenZOU/TSAM
    python benchmarks/published.py --published TSAM [--checkpoint published.pth] [--size 432x240] [--windows 3] -o OUT

The published generator runs as its own test does: in torch, without gradients, in the windows of its configuration, of
which the frames in the middle are kept. Its weights, those of a checkpoint or random ones, go through `ptfan
import-tsam` into `r50`, which runs in torch, in the same windows, and exported, frame by frame, on every --backend. All
are shown the first window of the demo's clip, and their answers compared. Then all are timed in turn at --size.

The folder gets published.json, published.md and published.png. Nothing of the published code comes with ptfan: it is
imported from the checkout that is named, which runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from beside.checkout import SEED, Checkout, quiet
from beside.process import exit_status
from beside.report import write_report
from beside.stand_ins import installed_torchvision, stand_in_torchvision
from ptfan.engine.bench.network import NetworkResult, measure_networks
from ptfan.engine.bench.plots import check_plots, new_figure
from ptfan.engine.bench.subject import Subject
from ptfan.engine.commands.messages import say
from ptfan.engine.commands.values import parse_pixels, read_backend
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import InputError, ToleranceError
from ptfan.engine.machine import describe_machine
from ptfan.engine.progress import choose_progress, running
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.runner import Arrays, Runner
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.export.clip import clip_arrays
from ptfan.export.compare import Comparison, compare_arrays, run_clip
from ptfan.export.exporter import export_checkpoint
from ptfan.export.settings import ExportSettings
from ptfan.training.import_tsam import import_tsam, read_published
from ptfan.training.model import Generator, preset
from ptfan.training.spec import generator_spec

SOURCES = "src"
CONFIG = f"{SOURCES}/config/config_flow_finetune_davis.json"
"""The configuration of the network that aligns features along the flow."""
WARM_UP = 1
"""A window takes half a minute on two cores."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, and print the table; a user's mistake is told in one line."""
    return exit_status(lambda: _run(_options(arguments)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--published", type=Path, required=True, metavar="CHECKOUT", help="of the method's code")
    parser.add_argument("--checkpoint", type=Path, help="its weights (.pth); random ones by default")
    parser.add_argument("--size", default="432x240", metavar="WxH", help="of the frames, multiples of 8")
    parser.add_argument("--windows", type=int, default=3, help="timed windows of each")
    parser.add_argument("--backend", action="append", help="repeatable; onnxruntime by default")
    parser.add_argument("--output", "-o", type=Path, required=True, metavar="FOLDER")
    return parser.parse_args(arguments)


@dataclass(frozen=True)
class PublishedCheckout(Checkout):
    """The method's published code."""

    needed = (CONFIG, f"{SOURCES}/model/networks.py", f"{SOURCES}/model/tsm/resnet.py")
    sources = SOURCES
    packages = ("model", "utils")

    @property
    def config(self) -> Any:
        """What the configuration says."""
        return json.loads((self.folder / CONFIG).read_text(encoding="utf-8"))

    @property
    def window(self) -> tuple[int, int]:
        """Frames in a window of the published test, and how many of them it keeps."""
        asked = self.config["validation"]
        first, end = asked["valid_interval"]
        return asked["valid_length"], end - first

    def generator(self) -> nn.Module:
        """Return the published generator as the configuration wants it, untrained, in evaluation mode.

        Raises:
            InputError: its modules cannot be imported.
        """
        arguments = self.config["arch"]["args"]
        options = arguments["opts"]
        # One of its modules imports torchvision, for a kind of layer that this network has not.
        with self.building({} if installed_torchvision() else stand_in_torchvision()):
            network: nn.Module = importlib.import_module("model.networks").Generator(
                nc_in=arguments["nc_in"],
                nc_out=arguments["nc_out"],
                use_bias=options["bias"],
                use_flow_tsm=options["flow_tsm"],
                **{name: options[name] for name in ("backbone", "nf", "norm", "conv_by", "conv_type")},
            )
        return network.eval()


class PublishedNetwork(Runner):
    """The published generator as a runner."""

    def __init__(self, checkout: PublishedCheckout) -> None:
        """Build it; its weights are its own random ones.

        Raises:
            InputError: the checkout's modules cannot be imported.
        """
        frames, kept = checkout.window
        ours = generator_spec(Generator(preset("r50", convention="tsam")))
        # It is fed as `r50` is, in the windows of the published test.
        super().__init__(checkout.folder, replace(ours, name="published", window=frames, stride=kept))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        network: Any = checkout.generator()
        self._generator = network.to(self._device)
        self._answer: list[Tensor] = []
        # The generator puts its answer into the picture; what it gives outside the hole is compared, too.
        decoder = self._generator.coarse_net.upsample_module
        decoder.register_forward_hook(lambda *call: self._answer.append(call[-1]))

    @property
    def backend(self) -> str:
        """What computes, and where."""
        return f"torch ({self._device})"

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.float32]]:
        """Show it one window, and return what it would put into a hole, (T, 3, H, W)."""
        feed = [torch.from_numpy(inputs[name])[None].to(self._device) for name in CLIP_INPUTS]
        frames, hole, guidance, forward, backward, valid_forward, valid_backward = feed
        # Theirs are masks of what is known, and of vectors that do not hold; a flow has one entry less than frames.
        flows = [forward[:, :-1], backward[:, 1:], 1 - valid_forward[:, :-1], 1 - valid_backward[:, 1:]]
        with torch.no_grad(), quiet():
            self._generator(frames * (1 - hole), 1 - hole, guidance, flows)
        return {"fill": self._answer.pop()[0].transpose(0, 1).cpu().numpy()}

    def close(self) -> None:
        """Nothing is held that others wait for."""

    def load(self, weights: Path) -> None:
        """Take the weights of a file; see `read_published`."""
        # Copies of weights and counters of training may be absent.
        self._generator.load_state_dict(read_published(weights), strict=False)

    def save_random(self, weights: Path, window: Arrays) -> None:
        """Write random weights as a training run writes its own.

        None is a constant, and every norm has the statistics of a window, so that values in all layers are as large as
        those of a network that has learnt.
        """
        random = torch.Generator().manual_seed(SEED)
        for parameter in self._generator.parameters():
            if parameter.dim() == 1:
                parameter.data += 0.2 * torch.randn(parameter.shape, generator=random).to(self._device)
        for module in self._generator.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # what has been before does not count
        self._generator.train()
        self.run(window)
        self._generator.eval()
        state = {f"generator.{key}": value for key, value in self._generator.state_dict().items()}
        torch.save({"state_dict": state}, weights)


class Steps(Subject):
    """A step model, called for as many frames at a time as a window finishes: one step alone would find cold caches."""

    def __init__(self, model: str, runner: Runner, size: tuple[int, int], kept: int) -> None:
        """See `Subject`; `kept` is how many frames a call finishes."""
        super().__init__(model, runner, size)
        self.frames = self.kept = kept

    def call(self) -> float:
        """Run; return the seconds that it took."""
        seconds = 0.0
        for _ in range(self.kept):
            seconds += super().call()
        return seconds


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was found about one of those that were compared."""

    network: NetworkResult
    """What it took; a call finishes the kept frames of a window."""
    difference: Comparison | None
    """How far its answer is from the published code's; None for that itself."""

    @property
    def seconds(self) -> tuple[float, float, float]:
        """Seconds a finished frame: of the usual call, the fastest and the slowest."""
        latency = self.network.latency
        median, fastest, slowest = (
            value / 1e3 / self.network.kept for value in (latency.median, latency.minimum, latency.maximum)
        )
        return median, fastest, slowest


def _run(options: argparse.Namespace) -> None:
    size, backends = parse_pixels(options.size), [read_backend(name) for name in options.backend or ("onnxruntime",)]
    if options.windows < 1:
        raise InputError(f"windows is {options.windows}, expected 1 or more")
    check_plots()
    checkout, about = PublishedCheckout(options.published), describe_machine() | {"torch": torch.__version__}
    published = PublishedNetwork(checkout)
    subjects = [Subject("published code", published, size)]
    clip = clip_arrays(published.spec, DEMO_CLIP, DEMO_MASK)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        checkpoint, step = _same_weights(published, options.checkpoint, clip, Path(folder))
        ours = stack.enter_context(open_runner(checkpoint))
        subjects.append(Subject("r50, in windows", ours, size))
        for backend in backends:
            runner = stack.enter_context(open_runner(step, backend=backend))
            subjects.append(Steps("r50, frame by frame", runner, size, subjects[0].kept))
        rows = _measure(subjects, clip, options.windows)
    settings = {
        "published": checkout.commit,
        "weights": options.checkpoint.name if options.checkpoint else f"random, seed {SEED}",
        "size": options.size,
        "window": checkout.window,
        "warm_up": WARM_UP,
    }
    write_results(options.output, about, settings, rows)
    print(results_table(about, settings, rows), end="")


def _same_weights(published: PublishedNetwork, weights: Path | None, clip: Arrays, folder: Path) -> tuple[Path, Path]:
    """Give the published network its weights; return files of `r50` with the same: the checkpoint and the step form."""
    if weights is None:
        weights = folder / "published.pth"
        published.save_random(weights, clip)
    say(f"{weights}: imports and exports it")
    checkpoint, step = folder / "r50.safetensors", folder / "r50.onnx"
    import_tsam(weights, checkpoint)
    published.load(weights)
    export_checkpoint(checkpoint, step, ExportSettings(form="step"))
    return checkpoint, step


def _measure(subjects: Sequence[Subject], clip: Arrays, windows: int) -> list[Row]:
    """Compare all answers with the first one's, then time all in turn."""
    say("compares the answers")
    reference, *others = (_answer(subject.runner, clip) for subject in subjects)
    differences = [compare_arrays(reference, answer) for answer in others]
    in_torch = differences[0]  # the others may be asked to round
    if not in_torch.worst <= in_torch.limit:
        raise ToleranceError(f"r50 differs from the published code: {in_torch}; expected at most {in_torch.limit:.1e}")
    progress = choose_progress(quiet=False)
    with running(progress, "published", windows, "windows of each"):
        networks = measure_networks(subjects, windows, progress.advance, warm_up=WARM_UP)
    return [
        Row(network=network, difference=difference)
        for network, difference in zip(networks, (None, *differences), strict=True)
    ]


def _answer(runner: Runner, clip: Arrays) -> NDArray[np.float32]:
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # TF32 rounds more than two codes may differ
        return run_clip(runner, clip)


def write_results(folder: Path, about: Mapping[str, str], settings: Mapping[str, object], rows: Sequence[Row]) -> None:
    """Write `published.json`, `published.md` and `published.png`.

    Args:
        folder: is made.
        about: the machine.
        settings: what was compared, see `_run`.
        rows: what was found; the published code comes first.

    Raises:
        OutputError: the folder cannot be written to.
    """
    everything = {"machine": about, "settings": settings, "rows": [asdict(row) for row in rows]}
    write_report(folder, "published", everything, results_table(about, settings, rows), _draw(rows, about))


def results_table(about: Mapping[str, str], settings: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the conditions and the figures as Markdown; see `write_results`."""
    (frames, kept), peak = settings["window"], max(row.difference.peak for row in rows if row.difference)
    lines = [
        f"{about['processor']}, {about['cores']} cores, {about['date']}; load before {about['load before']}; torch "
        f"{about['torch']}, ONNX Runtime {about['onnxruntime']}. Published code: commit {settings['published']}; "
        f"weights: {settings['weights']}.",
        "",
        f"Seconds a finished frame of {settings['size']}; a window of {frames} frames finishes {kept}, a step one. "
        f"{rows[0].network.latency.calls} windows, or steps for as many frames, of each, in turn. Differences are over "
        f"all pixels of one window of a real clip, of answers that reach {peak:.1f}.",
        "",
        "| | computed by | median | fastest | slowest | times faster | largest difference | mean difference |",
        "|---|---|---|---|---|---|---|---|",
        *map(_table_row, rows),
    ]
    return "\n".join(lines) + "\n"


def _table_row(row: Row) -> str:
    times = " | ".join(f"{value:.2f}" for value in (*row.seconds, row.network.ratio))
    found = row.difference
    differences = "- | -" if found is None else f"{found.worst:.1e} | {found.mean:.1e}"
    return f"| {row.network.label} | {row.network.backend} | {times} | {differences} |"


def _draw(rows: Sequence[Row], about: Mapping[str, str]) -> Any:
    """Draw a bar for each, from the fastest to the slowest call a line."""
    figure = new_figure(about, 1 + 0.6 * len(rows))
    axes = figure.subplots()
    median, fastest, slowest = np.transpose([row.seconds for row in rows])
    names = [f"{row.network.label}\n{row.network.backend}" for row in rows]
    spread = [median - fastest, slowest - median]
    bars = axes.barh(names, median, xerr=spread, color=["tab:gray"] + ["tab:blue"] * (len(rows) - 1), alpha=0.8)
    axes.bar_label(bars, [f" {row.seconds[0]:.2f} s, {row.network.ratio:.1f} x" for row in rows])
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlabel("seconds a finished frame")
    return figure


if __name__ == "__main__":
    raise SystemExit(main())
