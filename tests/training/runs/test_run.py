"""The command `ptfan train`, from a clip to a checkpoint."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
import typer
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from ptfan.engine.cli import main
from ptfan.engine.errors import InputError, ModelError
from ptfan.training.checkpoint import Checkpoint, load_checkpoint
from ptfan.training.cli import register
from ptfan.training.generator.config import TrainConfig
from ptfan.training.generator.learner import GeneratorLearner
from ptfan.training.generator.run import started_from
from ptfan.training.model.config import GeneratorConfig, preset
from ptfan.training.model.generator import Generator

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def place(tmp_path: Path, tiny: GeneratorConfig, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with a clip in `videos`, and settings that are quick in `tiny.json`."""
    (tmp_path / "videos").mkdir()
    y, x = np.mgrid[:48, :64]
    with av.open(str(tmp_path / "videos" / "waves.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for t in range(12):
            waves = [127 + 90 * np.sin((x + t) / 5 + channel) * np.cos(y / 7) for channel in range(3)]
            frame = av.VideoFrame.from_ndarray(np.stack(waves, axis=-1).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    changes = {name: value for name, value in asdict(tiny).items() if value != asdict(preset("s"))[name]}
    config = {
        "changes": changes,
        "steps": 4,
        "batch": 2,
        "freeze_norm_after": 0,
        "sample": {"frames": 3, "size": [48, 32]},
        "schedule": {"warmup": 1},
    }
    (tmp_path / "tiny.json").write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(run: str, *more: str) -> list[str]:
    new = ["train", "--data", "videos", "-o", run, "--config", "tiny.json"]
    return [*new, "--workers", "0", "--save-every", "2", "--log-every", "1", *more]


def steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_run_leaves_everything_in_its_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command("run", "--keep-every", "2")) == 0
    assert steps(place / "run") == [1, 2, 3, 4]
    made = {path.name for path in (place / "run").iterdir()}
    assert made == {
        "arguments.json",
        "cache",
        "checkpoint.safetensors",
        "checkpoints",
        "config.json",
        "curves.png",
        "environment.json",
        "log.jsonl",
        "state.pt",
        "tensorboard",
    }
    arguments = json.loads((place / "run" / "arguments.json").read_text(encoding="utf-8"))
    assert arguments["source"].pop("data") == str(place / "videos")
    assert arguments == {
        "source": dict.fromkeys(("layout", "split", "clips", "longest", "cache", "flow")),
        "command": "train",
        "start": None,
        "device": "cpu",
        "threads": 1,
        "workers": 0,
        "save_every": 2,
        "keep_every": 2,
        "log_every": 1,
    }
    (session,) = json.loads((place / "run" / "environment.json").read_text(encoding="utf-8"))
    assert session["versions"]["torch"] == torch.__version__
    assert (session["seed"], session["first_step"], session["processes"]) == (0, 0, 1)
    assert load_checkpoint(place / "run" / "checkpoint.safetensors").record["clips"] == ["waves"]
    told = capsys.readouterr().err.splitlines()
    assert "step 4/4: loss " in told[-2]
    assert told[-1] == "run/checkpoint.safetensors: 4 of 4 steps are done"


def test_resume_needs_nothing_but_the_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command("straight")) == 0
    whole = GeneratorLearner._backward

    def interrupted(learner: GeneratorLearner, *args: Any) -> Any:
        if args[-1] == 1:
            signal.raise_signal(signal.SIGINT)
        return whole(learner, *args)

    monkeypatch.setattr(GeneratorLearner, "_backward", interrupted)
    assert main(command("halves")) == 130
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == "ptfan: error: training stopped after step 2 of 4; go on with: ptfan train --resume halves"
    monkeypatch.setattr(GeneratorLearner, "_backward", whole)
    monkeypatch.chdir("/")
    assert main(["train", "--resume", str(place / "halves")]) == 0
    straight, halves = (load_checkpoint(place / name / "checkpoint.safetensors") for name in ("straight", "halves"))
    assert all(torch.equal(straight.state[key], halves.state[key]) for key in straight.state)
    assert steps(place / "halves") == [1, 2, 3, 4]
    sessions = json.loads((place / "halves" / "environment.json").read_text(encoding="utf-8"))
    assert [session["first_step"] for session in sessions] == [0, 2]


def test_a_finished_run_says_so_and_can_be_lengthened(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command("run", "--steps", "1")) == 0
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 0
    told = "run/checkpoint.safetensors: 1 of 1 steps are done; --steps lengthens the run\n"
    assert capsys.readouterr().err == told
    assert main(["train", "--resume", "run", "--steps", "2", "--workers", "0"]) == 0
    assert steps(place / "run") == [1, 2]
    assert TrainConfig.read(place / "run" / "config.json").steps == 2


def test_a_run_that_goes_on_with_other_data_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command("run", "--steps", "1")) == 0
    assert main(["train", "--resume", "run", "--steps", "2"]) == 0
    assert "warning" not in capsys.readouterr().err
    shutil.copy(place / "videos/waves.mp4", place / "videos/more.mp4")
    assert main(["train", "--resume", "run", "--steps", "3"]) == 0
    told = "run: the clips are others, or have changed, since the last session; using them"
    assert told in capsys.readouterr().err
    assert steps(place / "run") == [1, 2, 3]


def test_a_run_is_not_shortened(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command("run", "--steps", "2")) == 0
    before = {path: path.read_bytes() for path in (place / "run").glob("*.*")}
    capsys.readouterr()
    assert main(["train", "--resume", "run", "--steps", "1"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("ptfan: error: run: 2 steps are done, the whole run cannot have 1; ")
    assert {path: path.read_bytes() for path in (place / "run").glob("*.*")} == before


def test_a_run_starts_from_a_checkpoint_s_weights_and_architecture(place: Path, tiny: GeneratorConfig) -> None:
    assert main(command("first", "--steps", "1")) == 0
    checkpoint = str(place / "first" / "checkpoint.safetensors")
    (place / "rate.json").write_text(
        json.dumps({"steps": 1, "sample": {"frames": 3, "size": [48, 32]}, "optimizer": {"learning_rate": 1e-12}}),
        encoding="utf-8",
    )
    arguments = ["train", "--data", "videos", "-o", "second", "--config", "rate.json", "--workers", "0"]
    assert main([*arguments, "--from", checkpoint]) == 0
    first, second = load_checkpoint(checkpoint), load_checkpoint(place / "second" / "checkpoint.safetensors")
    assert second.config == tiny
    name = "encoder.stem.weight"
    torch.testing.assert_close(first.state[name], second.state[name])
    assert second.record["started_from"] == Path(checkpoint).name
    Path(checkpoint).unlink()  # the run's state has all that it needs
    assert main(["train", "--resume", "second", "--steps", "2"]) == 0


def test_the_architecture_of_a_start() -> None:
    shifting = preset("s", alignment="shift")
    start = Checkpoint(shifting, Generator(shifting).state_dict())
    assert started_from(TrainConfig(), start).architecture() == shifting
    assert started_from(TrainConfig(changes={"alignment": "aligned"}), start).architecture() == preset("s")
    with pytest.raises(InputError, match=r"the checkpoint holds a 's', the settings want 'r50'; change their preset"):
        started_from(TrainConfig(preset="r50"), start)
    with pytest.raises(ModelError, match="has shape"):
        started_from(TrainConfig(changes={"stem_width": 16}), start)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train"], "a new run needs --data and --run; an old one goes on with --resume RUN alone"),
        (["train", "--resume", "none"], "none: holds no run"),
        (["train", "--resume", "x", "--data", "videos", "--from", "y"], "--resume takes --from, --data from the run's"),
        (command("run", "--data", "none"), "none"),
        (command("run", "--config", "none"), "none is not there; expected a JSON file, or one of paper-davis, "),
        (command("run", "--device", "cuda:7"), "device cuda:7: torch"),
        (command("run", "--device", "tpu"), "device tpu: is none that ptfan trains on"),
        (command("run", "--layout", "zip"), "layout is 'zip', expected one of videos, "),
        (command("run", "--from", "none"), "none: no such file"),
    ],
)
@pytest.mark.usefixtures("place")
def test_mistakes_end_in_one_line_and_leave_nothing(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert reason in told[0]
    assert not Path("run").exists()


def test_a_perceptual_loss_without_weights_is_refused_by_name(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(place / "hub"))
    settings = json.loads((place / "tiny.json").read_text(encoding="utf-8")) | {"losses": {"perceptual": 1}}
    (place / "tiny.json").write_text(json.dumps(settings), encoding="utf-8")
    assert main(command("run")) == 2
    assert "feature network vgg16: no weights here; put torchvision's from https://" in capsys.readouterr().err
    assert main(command("run", "--backbone", "weights.pth")) == 2
    assert "feature network weights.pth: no weights here" in capsys.readouterr().err
    assert not (place / "run").exists()


def test_a_second_run_does_not_overwrite_the_first(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command("run", "--steps", "1")) == 0
    assert main(command("run")) == 2
    assert "run: holds a run already; go on with --resume run" in capsys.readouterr().err


def test_the_commands_of_the_documentation_are_understood() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    lines = [
        shlex.split(line, comments=True) for line in re.findall(r"(?:^|-m )(?:ptfan )?(train .*)", blocks, re.MULTILINE)
    ]
    assert len(lines) == 8
    app = typer.Typer()
    register(app)
    train: Any = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    for line in lines:
        if line[1:] != ["..."]:
            train.make_context("train", line[1:])


@pytest.fixture
def torchrun() -> Iterator[Callable[[list[str]], dict[int, Any]]]:
    """Return a function that runs a command line in two processes of torchrun, and gives what they returned.

    They are forks of this process, which has imported everything: that is most of the time that the program takes.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    launch = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        run_id="test",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        start_method="fork",
        monitor_interval=0.05,
    )
    yield lambda arguments: elastic_launch(launch, main)(arguments)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_two_processes_of_torchrun_do_what_one_does_and_one_of_them_writes(
    place: Path, torchrun: Callable[[list[str]], dict[int, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command("alone")) == 0
    capfd.readouterr()
    assert torchrun(command("both")) == {0: 0, 1: 0}
    told = capfd.readouterr().err
    assert (told.count("step 4/4: "), told.count("checkpoint.safetensors: 4 of 4 steps")) == (1, 1)
    assert steps(place / "both") == steps(place / "alone")
    assert len(list((place / "both" / "tensorboard").iterdir())) == 1
    (session,) = json.loads((place / "both" / "environment.json").read_text(encoding="utf-8"))
    assert session["processes"] == 2
    alone, both = (load_checkpoint(place / name / "checkpoint.safetensors") for name in ("alone", "both"))
    for name, value in alone.state.items():
        torch.testing.assert_close(both.state[name], value, atol=1e-4, rtol=1e-3)
