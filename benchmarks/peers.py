"""Other networks that fill holes in videos beside ptfan: what a finished frame takes.

    git clone https://github.com/researchmm/STTN             # and so on; any of them will do
    python benchmarks/peers.py --sttn STTN --fuseformer FuseFormer --e2fgvi E2FGVI --propainter ProPainter -o OUT

Each peer's published networks fill a clip of 432x240 as its own test does: in torch, without gradients, in fp32, in
windows of 11 frames and every tenth of the others, 5 frames apart, with the flow that it takes. Their weights are
random: what a frame takes does not depend on them. Reading the clip, building the networks and writing the result are
not timed. Steps of our networks see whole frames of that size, too, and whole videos of ours are timed from file to
file. All run in turn, each run in a process of its own. ProPainter imports einops, scipy and Pillow; mmcv is not
needed, and torchvision is used for deformable convolution where it is installed.

The folder gets peers.json, peers.md and peers.png after every round. Nothing of the peers' code comes with ptfan: it
is imported from the checkouts that are named, which runs it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from beside.checkout import SEED
from beside.clip import Clip
from beside.entry import Entry, PeerEntry, Row, StepEntry, VideoEntry
from beside.peer import FAR, NEAR, Peer
from beside.process import exit_status
from beside.report import write_report
from beside.roster import PEERS
from ptfan.engine.bench.contender import Contender
from ptfan.engine.bench.plots import check_plots, new_figure
from ptfan.engine.commands.messages import say
from ptfan.engine.commands.values import parse_box
from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.errors import InputError
from ptfan.engine.machine import describe_machine
from ptfan.engine.progress import choose_progress, running
from ptfan.engine.runners.backends import Backend

SIZE = (432, 240)
"""(width, height) of the clip, pixels: what most of them are made for."""
MOST = 80
"""Frames; ProPainter cuts longer clips into pieces."""
STEPS = 50
"""Of our networks in a run."""
OURS = ("s", "s-live")
NUMBERS: dict[Backend, str] = {"onnxruntime": "fp32", "auto": "numbers as chosen here"}
"""What our networks compute with, by backend."""
COLUMNS = (
    "",
    "computed by",
    "what a frame's time holds",
    "s, median",
    "fastest",
    "slowest",
    "s of all cores",
    "times",
    "GFLOP",
    "times",
    "parameters, M",
    "peak memory, GB",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, and print the table; a user's mistake is told in one line."""
    return exit_status(lambda: _run(_options(arguments)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, peer in PEERS.items():
        if name in _flags():
            parser.add_argument(f"--{name}", type=Path, metavar="CHECKOUT", help=f"of {peer.what}")
    parser.add_argument("--clip", type=Path, default=DEMO_CLIP, help="a video; the demo's by default")
    parser.add_argument("--box", default="166,78,100,84", metavar="X,Y,W,H", help="the hole, in a frame of 432x240")
    parser.add_argument("--frames", type=int, default=20, help="of the clip that peers fill")
    parser.add_argument("--whole", type=int, default=50, help="frames of our videos, which take a while to start")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each")
    parser.add_argument("--output", "-o", type=Path, required=True, metavar="FOLDER")
    return parser.parse_args(arguments)


def _flags() -> list[str]:
    """Return the names of peers whose checkout is asked for: one checkout may hold several."""
    checkouts = {peer.what: name for name, peer in reversed(PEERS.items())}
    return [*checkouts.values()]


def _run(options: argparse.Namespace) -> None:
    peers = _checkouts(options)
    for name, least, most in (("frames", 2, MOST), ("whole", 2, 10**6), ("rounds", 1, 10**6)):
        value = getattr(options, name)
        if not least <= value <= most:
            raise InputError(f"{name} is {value}, expected {least} to {most}")
    check_plots()
    about = describe_machine() | {"torch": torch.__version__}
    with tempfile.TemporaryDirectory() as folder:
        clips = [_clip(options, Path(folder, str(frames)), frames) for frames in (options.frames, options.whole)]
        say("counts what the peers compute")
        theirs = [PeerEntry(name, peer, clips[0]) for name, peer in peers.items()]
        settings = {
            "commits": {peer.what: peer.commit for peer in peers.values()},
            "weights": f"random, seed {SEED}",
            "size": f"{SIZE[0]}x{SIZE[1]}",
            "box": options.box,
            "near": NEAR,
            "far": FAR,
            "deformable": theirs[0].deformable,
        }
        table = _measure([*theirs, *_ours(clips[1])], options, about, settings)
    print(table, end="")


def _checkouts(options: argparse.Namespace) -> dict[str, Peer]:
    """Return the peers of the checkouts that are named, by name."""
    named = {PEERS[name].what: getattr(options, name.replace("-", "_")) for name in _flags()}
    peers = {name: peer(named[peer.what]) for name, peer in PEERS.items() if named[peer.what] is not None}
    if not peers:
        raise InputError(f"no checkout is named, expected one or more of --{', --'.join(_flags())}")
    return peers


def _clip(options: argparse.Namespace, folder: Path, frames: int) -> Clip:
    folder.mkdir(exist_ok=True)
    return Clip.make(folder, options.clip, frames, SIZE, parse_box(options.box))


def _ours(clip: Clip) -> list[Entry]:
    """Return steps in fp32 and in what is chosen here, and whole videos."""

    def video(model: str, backend: Backend, crop: bool) -> Entry:
        return VideoEntry(Contender(model, model, backend), clip, numbers=NUMBERS[backend], crop=crop)

    steps = [StepEntry(model, backend, SIZE, STEPS) for model in OURS for backend in NUMBERS]
    whole = [video(model, "onnxruntime", crop=False) for model in OURS]
    return [*steps, *whole, *(video(model, backend, crop=True) for backend in NUMBERS for model in OURS)]


def _measure(
    entries: Sequence[Entry], options: argparse.Namespace, about: Mapping[str, str], settings: Mapping[str, Any]
) -> str:
    """Time all in turn; write what there is after each round; return the last table."""
    progress, rows = choose_progress(quiet=False), [entry.row for entry in entries]
    with running(progress, "peers", options.rounds * len(entries), "runs"):
        for _ in range(options.rounds):
            for entry in entries:
                entry.measure()
                progress.advance()
            write_results(options.output, about, settings, rows)
    return results_table(about, settings, rows)


def write_results(folder: Path, about: Mapping[str, str], settings: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write `peers.json`, `peers.md` and `peers.png`.

    Args:
        folder: is made.
        about: the machine.
        settings: what was compared, see `_run`.
        rows: what was found.

    Raises:
        OutputError: the folder cannot be written to.
    """
    everything = {"machine": about, "settings": settings, "rows": [asdict(row) for row in rows]}
    write_report(folder, "peers", everything, results_table(about, settings, rows), _draw(rows, about))


def results_table(about: Mapping[str, str], settings: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the conditions and the figures as Markdown; see `write_results`."""
    theirs = [row for row in rows if not row.ours]
    baseline = next(row for row in rows if row.ours)
    commits = ", ".join(f"{what} {commit}" for what, commit in settings["commits"].items())
    lines = [
        f"{about['processor']}, {about['cores']} cores, {about['date']}; load before {about['load before']}; torch "
        f"{about['torch']}, ONNX Runtime {about['onnxruntime']}. Commits: {commits}. Weights of the peers: "
        f"{settings['weights']}; deformable convolution: {settings['deformable']}.",
        "",
        f"Seconds a finished frame of {settings['size']}, hole {settings['box']}; runs of each: {len(baseline.times)}, "
        f"in turn, each in a process of its own; clips of {theirs[0].frames} frames for the peers, whose reading and "
        f"writing are in no figure. A peer's window has up to {2 * settings['near'] + 1} frames and every "
        f"{settings['far']}th of the others, and the next is {settings['near']} frames on. GFLOP are those of "
        f"convolutions and matrix products. *Times* are those of {baseline.label}, fp32; of seconds, of those that "
        "all cores together worked, which other work on the machine changes less.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
        *(_table_row(row, baseline) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _table_row(row: Row, baseline: Row) -> str:
    work: list[float | None] = [None, None]
    if row.flop is not None and baseline.flop:
        work = [row.flop / 1e9, row.flop / baseline.flop]
    figures = [row.seconds, min(row.times), max(row.times), row.cores, row.cores / baseline.cores, *work]
    cells = [row.label, row.by, row.parts, *map(_short, figures)]
    cells.append("-" if row.parameters is None else f"{row.parameters / 1e6:.1f}")
    return f"| {' | '.join(cells)} | {row.memory / 1e9:.1f} |"


def _short(value: float | None) -> str:
    """Return three digits that count."""
    return "-" if value is None else f"{float(f'{value:.3g}'):g}"


def _draw(rows: Sequence[Row], about: Mapping[str, str]) -> Any:
    """Draw a bar for each, from the fastest to the slowest run a line."""
    figure = new_figure(about, 1 + 0.45 * len(rows))
    axes = figure.subplots()
    median = np.array([row.seconds for row in rows])
    spread = [median - [min(row.times) for row in rows], [max(row.times) for row in rows] - median]
    places, colours = range(len(rows)), ["tab:blue" if row.ours else "tab:gray" for row in rows]
    bars = axes.barh(places, median, xerr=spread, color=colours, alpha=0.8)
    axes.set_yticks(places, [f"{row.label.replace('`', '')}\n{row.by}" for row in rows], fontsize="x-small")
    axes.bar_label(bars, [f" {value:.3g} s" for value in median], fontsize="small")
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlabel("seconds a finished frame")
    return figure


if __name__ == "__main__":
    raise SystemExit(main())
